"""``chatcore serve`` with an application's own parts, and with registration closed."""

from functools import partial
from pathlib import Path

import pytest

from tests.app.processes import (
    CHEAP,
    COMMAND,
    PASSWORD,
    chatcore,
    client,
    running_server,
)

# The command as people run it, without what cuts its frames.
plain_server = partial(running_server, program=COMMAND)

PARTS = """
from chatcore import Refusal

class Silent(Refusal):
    code = 9000
    template = "Nobody speaks here."

class Silence:
    async def judge(self, sender, sends):
        return [Silent()] * len(sends)

class People:
    async def check(self, username, password):
        return password == "token of " + username
"""


def test_it_takes_its_policy_and_its_users_from_an_application(tmp_path: Path) -> None:
    (tmp_path / "people.py").write_text(PARTS, encoding="utf-8")
    config = tmp_path / "chat.toml"
    config.write_text(
        f'policy = "people:Silence"\ncredentials = "people:People"\n'
        f'app_dir = "{tmp_path}"\n',
        encoding="utf-8",
    )
    with plain_server(*everywhere(), "--config", str(config), listeners=4) as server:
        seen = [
            client(it, f"login ada{n}", f"token of ada{n}", f"send ada{n} hello")
            for n, it in enumerate(server.urls)
        ]

    assert [it.lines[-1] for it in seen] == ["[9000] Nobody speaks here."] * 4


def test_what_it_cannot_load_is_one_line_and_status_2_before_there_is_a_store(
    tmp_path: Path,
) -> None:
    done = chatcore(
        "serve", "--port", "0", "--policy", "nobody:here", *CHEAP, folder=tmp_path
    )

    assert done.status == 2
    assert done.errors.splitlines()[-1].startswith("chatcore: [720] --policy nobody:")
    assert "Traceback" not in done.errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [((), "[208] Accounts are made by the"), (("--registration", "open"), "Created ")],
)
@pytest.mark.rule("A3")
def test_registration_is_closed_beyond_loopback_unless_it_is_opened(
    flags: tuple[str, ...], said: str
) -> None:
    beyond = ("--host", "0.0.0.0", "--insecure")  # noqa: S104  # that is the point
    with plain_server(*everywhere(), *beyond, *flags, listeners=4) as server:
        done = [
            client(at_loopback(url), f"create ada{number}", PASSWORD)
            for number, url in enumerate(server.urls)
        ]

    assert [it.status for it in done] == [0 if flags else 1] * 4
    assert all(it.lines[-1].startswith(said) for it in done)


def everywhere() -> tuple[str, ...]:
    """Flags of a server of all transports that forgets everything."""
    return ("--transport", "all", "--port", "0", "--store", "memory:", *CHEAP)


def at_loopback(url: str) -> str:
    """How this machine connects to what listens for all."""
    return url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # as above
