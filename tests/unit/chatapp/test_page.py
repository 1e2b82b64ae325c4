"""The page of ``serve``: its files, what a browser lets it do, and whom it may ask."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatapp.command_settings import ServeSettings
from chatapp.errors import SettingWrong
from chatapp.page import FILES, ChatPage, path_of
from chatapp.serve import page_of
from chatcore import Registration
from transports.http_messages import HttpRequest, HttpResponse

CLIENTS = Path(__file__).parents[3] / "clients" / "js"
AT = "http://127.0.0.1:7403"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # nobody listens there
ALL = (
    "tcp://127.0.0.1:7400",
    "ws://127.0.0.1:7401/chat",
    "grpc://127.0.0.1:7402",
    "http://127.0.0.1:7403/chat",
)


class NoBody:
    """Of a request that has none."""

    async def read(self) -> bytes:
        return b""


def asked(
    path: str,
    *headers: tuple[str, str],
    urls: Sequence[str] = ALL,
    method: str = "GET",
    at: str = AT,
) -> HttpResponse:
    """What the page of such a server answers."""
    page = ChatPage("open")
    page.begin(urls, lasts=True)
    if not headers:
        headers = (("host", "127.0.0.1:7403"),)
    request = HttpRequest(method=method, path=path, headers=headers, body=NoBody())
    answer = page.answer(request, at)
    assert answer is not None
    return answer


def told(*headers: tuple[str, str], urls: Sequence[str] = ALL, at: str = AT) -> Any:
    """What the page is told of its server."""
    answer = asked("/page.json", *headers, urls=urls, at=at)
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body)


def policy(answer: HttpResponse) -> dict[str, list[str]]:
    """The answer's Content-Security-Policy, taken apart."""
    (value,) = [it for name, it in answer.headers if name == "Content-Security-Policy"]
    parts = [part.split() for part in value.split(";")]
    return {name: values for name, *values in parts}


# ---- files


def test_the_module_of_the_browser_client_is_the_one_of_its_package() -> None:
    answer = asked("/chatcore.js")

    assert answer.body == (CLIENTS / "chatcore.js").read_bytes()


def test_every_file_of_the_page_is_in_its_table() -> None:
    files = {it.name for it in path_of("page.js").parent.iterdir()}

    assert files | {"chatcore.js"} == set(FILES)


class Links(HTMLParser):
    """What a document asks for, and what it has in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.asked |= {str(found[it]) for it in ("src", "href") if it in found}
        inline = [name for name in found if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in found):
            inline.append(tag)
        self.inline += inline


def test_the_document_asks_for_files_of_the_table_and_has_nothing_inline() -> None:
    links = Links()
    links.feed(path_of("index.html").read_text(encoding="utf-8"))

    assert links.asked <= set(FILES)
    assert not links.inline


@pytest.mark.parametrize("name", [it for it in FILES if it.endswith(".js")])
def test_a_script_imports_files_of_the_table_and_makes_no_markup(name: str) -> None:
    script = path_of(name).read_text(encoding="utf-8")

    imported = set(re.findall(r'^import .*"\./(.+)";', script, re.MULTILINE))
    assert imported <= set(FILES)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(", script)


# ---- what a browser lets it do


@pytest.mark.parametrize(
    "path", ["/", "/page.json", *(f"/{it}" for it in FILES if it != "index.html")]
)
def test_every_answer_has_a_strict_policy(path: str) -> None:
    rules = policy(asked(path))

    assert rules == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'", "ws://127.0.0.1:7401"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }


def test_what_the_page_is_told_is_asked_for_each_time() -> None:
    answer = asked("/page.json")

    assert answer.content_type == "application/json"
    assert "Cache-Control" not in {name for name, _ in answer.headers}  # no-store
    assert asked("/page.json", method="POST").status == 405


# ---- whom it may ask


@pytest.mark.rule("W3")
@pytest.mark.parametrize(
    ("host", "urls", "at", "websocket"),
    [
        ("127.0.0.1:7403", ALL, AT, "ws://127.0.0.1:7401/chat"),
        ("chat.example:7403", ALL, AT, "ws://chat.example:7401/chat"),
        # Without WebSockets, or where they need TLS.
        ("127.0.0.1:7403", ALL[2:], AT, ""),
        ("127.0.0.1:7403", ("wss://127.0.0.1:7401/chat",), AT, ""),
        # With TLS, and its own port.
        (
            "chat.example",
            ("ws://0.0.0.0:1/chat", "wss://0.0.0.0:7401/chat"),
            "https://0.0.0.0:443",
            "wss://chat.example:7401/chat",
        ),
        # Where the port of WebSockets is somebody else's.
        ("127.0.0.2:7403", ALL, "http://127.0.0.2:7403", ""),
        # Behind a proxy, which has other ports.
        ("chat.example", ALL, AT, ""),
        # What a policy cannot name.
        ("[::1]:7403", ("ws://[::1]:7401/chat",), "http://[::1]:7403", ""),
        ("a;script-src *:7403", ALL, AT, ""),
        ("a,b:7403", ALL, AT, ""),
        ("a:99999", ALL, AT, ""),
        ("", ALL, AT, ""),
    ],
)
def test_the_page_asks_the_listener_of_websockets_where_that_is_known(
    host: str, urls: Sequence[str], at: str, websocket: str
) -> None:
    headers = ("host", host)

    assert told(headers, urls=urls, at=at)["websocket"] == websocket
    sources = policy(asked("/", headers, urls=urls, at=at))["connect-src"]
    assert sources == ["'self'", *filter(None, [websocket.removesuffix("/chat")])]


@pytest.mark.rule("W3")
@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_behind_a_proxy_it_asks_at_its_own_origin(header: str) -> None:
    host = ("host", "127.0.0.1:7403")

    assert told(host, (header, "192.0.2.1"))["websocket"] == ""
    assert told(host, host)["websocket"] == ""


def test_a_life_of_accounts_that_do_not_last_is_told_from_the_next() -> None:
    lives: list[str] = []
    places: list[str] = []
    for lasts in (True, False, False):
        page = ChatPage("open")
        places += page.begin(ALL, lasts=lasts)
        request = HttpRequest(method="GET", path="/page.json", body=NoBody())
        answer = page.answer(request, AT)
        assert answer is not None
        assert isinstance(answer.body, bytes)
        lives.append(msgspec.json.decode(answer.body)["life"])

    assert set(places) == {"http://127.0.0.1:7403/"}
    assert lives[0] == ""
    assert len(set(lives)) == 3


# ---- when it is served


@pytest.mark.parametrize(
    ("settings", "pages"),
    [
        ({}, 0),
        ({"transport": "http"}, 1),
        ({"transport": "all", "page": "on"}, 1),
        ({"transport": "all", "page": "off"}, 0),
        ({"transport": "all", "host": EVERYWHERE, "insecure": True}, 0),
        ({"transport": "all", "host": EVERYWHERE, "insecure": True, "page": "on"}, 1),
        ({"listen": ("http://127.0.0.1:1", "tcp://127.0.0.1:2")}, 1),
        ({"transport": "http", "credentials": "people:People"}, 1),
        ({"transport": "http", "proof_secret": "secret.txt"}, 0),
        ({"transport": "http", "identities": "people:Tokens"}, 0),
    ],
)
def test_it_is_served_on_loopback_or_where_that_was_asked_for(
    settings: dict[str, Any], pages: int
) -> None:
    page = page_of(ServeSettings(**settings), Registration.OPEN)

    assert [page].count(None) == 1 - pages


def test_a_page_without_a_listener_for_browsers_is_a_mistake() -> None:
    with pytest.raises(SettingWrong, match="--page on is for a server with"):
        ServeSettings(page="on")


def test_a_page_for_users_without_passwords_is_a_mistake() -> None:
    with pytest.raises(SettingWrong, match="--page on is for users who have"):
        ServeSettings(page="on", transport="http", proof_secret="secret.txt")


@pytest.mark.parametrize(
    ("settings", "registration", "is_told"),
    [
        ({}, Registration.OPEN, "open"),
        ({}, Registration.INVITE, "invite"),
        ({"credentials": "people:People"}, Registration.OPEN, "elsewhere"),
    ],
)
def test_the_page_is_told_who_may_make_an_account(
    settings: dict[str, Any], registration: Registration, is_told: str
) -> None:
    page = page_of(ServeSettings(transport="http", **settings), registration)
    assert page is not None

    request = HttpRequest(method="GET", path="/page.json", body=NoBody())
    answer = page.answer(request, AT)

    assert answer is not None
    assert isinstance(answer.body, bytes)
    assert msgspec.json.decode(answer.body)["registration"] == is_told
