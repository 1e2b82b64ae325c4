"""The chat's own page: which files it has, and what a browser may do with them.

The page has one script of ours that is not its own: ``clients/js/chatcore.js``, which
the wheel has beside the page, and a clone at its place.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from transports.base import parse_address
from transports.http_messages import HttpRequest, HttpResponse
from transports.http_site import SAFE_HEADERS, StaticFile, StaticSite, method_refused

_FOLDER: Final = Path(__file__).resolve().parent
_CLIENT: Final = "chatcore.js"
_HTML: Final = "text/html; charset=utf-8"
_CSS: Final = "text/css; charset=utf-8"
_JS: Final = "text/javascript; charset=utf-8"
_SVG: Final = "image/svg+xml"
_ROOT: Final = "index.html"
FILES: Final = {
    _ROOT: _HTML,
    "page.css": _CSS,
    "icon.svg": _SVG,
    "page.js": _JS,
    "account.js": _JS,
    "chat_view.js": _JS,
    "composer.js": _JS,
    "conversations.js": _JS,
    "dialogs.js": _JS,
    "dom.js": _JS,
    "history.js": _JS,
    "people.js": _JS,
    "timeline.js": _JS,
    _CLIENT: _JS,
}
"""All files of the page, and what each is."""
_CONFIGURATION: Final = "/page.json"
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
"""What a browser lets the page do, but for whom it may connect to."""
_HOST: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)
"""A name, or an address of IPv4, as a policy can name it: one of IPv6 it cannot."""
_OF_A_PROXY: Final = ("x-forwarded-for", "forwarded")
_WEBSOCKET_OF: Final = {"http": "ws", "https": "wss"}
_PORT_OF: Final = {"http": 80, "https": 443}
_EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")  # noqa: S104  # as a listener names it


class PageConfiguration(msgspec.Struct, frozen=True, rename="camel"):
    """What the page is told of its server.

    Attributes:
        websocket: where that listens for WebSockets; empty where it does not, or where
            that cannot be known. The chat over HTTP is at the page's own origin.
        registration: who may make an account; see ``chatcore.Registration``.
        life: of accounts that end with the server, which another process gives the same
            ids: what a browser has kept of those of another life is nobody's. Empty
            where they last.
    """

    websocket: str
    registration: str
    life: str


class ChatPage:
    """The page of a server; see ``transports.http_site.Site``.

    Args:
        registration: see ``PageConfiguration``.

    """

    def __init__(self, registration: str) -> None:
        self._urls: Sequence[str] = ()
        self._life = ""
        self._registration = registration
        files = {
            f"/{name}": StaticFile.of(path_of(name).read_bytes(), kind)
            for name, kind in FILES.items()
        }
        files["/"] = files.pop(f"/{_ROOT}")
        self._site = StaticSite(files)

    def begin(self, urls: Sequence[str], *, lasts: bool) -> Sequence[str]:
        """Take note of where the server listens, and whether its accounts outlive it;
        where the page is.
        """
        self._urls = urls
        self._life = "" if lasts else secrets.token_hex(8)
        return [it.removesuffix("chat") for it in urls if it.startswith("http")]

    def answer(self, request: HttpRequest, url: str) -> HttpResponse | None:
        """See ``Site``."""
        websocket = self._websocket_for(request, url)
        if request.path == _CONFIGURATION:
            if request.method not in {"GET", "HEAD"}:
                return method_refused()
            told = PageConfiguration(websocket, self._registration, self._life)
            answer: HttpResponse | None = HttpResponse(
                body=msgspec.json.encode(told),
                content_type="application/json",
                headers=SAFE_HEADERS,
            )
        else:
            answer = self._site.answer(request, url)
        if answer is None:
            return None
        connects = f"connect-src 'self' {websocket.rpartition('/')[0]}".rstrip()
        policy = "; ".join([*_POLICY, connects])
        return replace(
            answer, headers=[*answer.headers, ("Content-Security-Policy", policy)]
        )

    def _websocket_for(self, request: HttpRequest, url: str) -> str:
        """The URL of WebSockets for a page that a listener of this URL serves.

        It is known where the browser has asked that listener itself: a proxy between
        them has ports of its own.
        """
        page = parse_address(url)
        hosts = request.values("host")
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            return ""
        name, _, port = hosts[0].partition(":")
        if int(port or _PORT_OF[page.scheme]) != page.port:
            return ""
        if any(request.values(it) for it in _OF_A_PROXY):
            return ""
        for listener in map(parse_address, self._urls):
            is_at_hand = page.host in {listener.host, *_EVERY_ADDRESS}
            if listener.scheme == _WEBSOCKET_OF[page.scheme] and is_at_hand:
                return f"{listener.scheme}://{name}:{listener.port}{listener.path}"
        return ""


def path_of(name: str) -> Path:
    """Where a file of the page is, in an installed package or in a clone."""
    if name != _CLIENT:
        return _FOLDER / "files" / name
    installed = _FOLDER / "files" / _CLIENT
    if installed.exists():
        return installed
    return _FOLDER.parents[2] / "clients" / "js" / _CLIENT
