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
    on_memory,
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
    with plain_server(*on_memory(), "--config", str(config)) as server:
        seen = client(server.url, "login ada", "token of ada", "send ada hello")

    assert seen.lines[-1] == "[9000] Nobody speaks here."


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
    ("host", "flags", "is_open"),
    [
        ("0.0.0.0", (), False),  # noqa: S104  # that it is beyond loopback is the point
        ("0.0.0.0", ("--registration", "open"), True),  # noqa: S104  # as above
    ],
)
@pytest.mark.rule("A3")
def test_registration_is_closed_beyond_loopback_unless_it_is_opened(
    host: str, flags: tuple[str, ...], *, is_open: bool
) -> None:
    listens = ("--host", host, "--port", "0", "--store", "memory:", *CHEAP)
    with plain_server(*listens, "--insecure", *flags) as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # as above

        done = client(url, "create ada", PASSWORD)

    assert done.status == (0 if is_open else 1)
    assert is_open or done.lines[-1].startswith("[208] Accounts are made by the")
