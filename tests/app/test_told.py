"""What ``serve`` tells the application of messages, as processes see it."""

import json
from pathlib import Path
from textwrap import dedent

from tests.app.processes import (
    chatcore,
    on_disk,
    running_server,
    with_accounts,
    with_messages,
)
from tests.webhook_receiver import SECRET

HANDLERS = """
    import json

    class Diary:
        def __init__(self):
            self._file = open("{diary}", "a", buffering=1)

        async def stored(self, messages):
            self._note("stored", messages)

        def waiting(self, accounts):
            self._note("waiting", accounts)
            raise ZeroDivisionError("on purpose")

        def _note(self, kind, events):
            for it in events:
                self._file.write(json.dumps([kind, *it]) + "\\n")
"""


def test_handlers_of_serve_are_told_before_it_has_ended(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    source = dedent(HANDLERS).format(diary=diary)
    (tmp_path / "told.py").write_text(source, encoding="utf-8")
    flags = ("--handlers", "told:Diary", "--app-dir", str(tmp_path))
    with running_server(*on_disk(tmp_path), *flags) as server:
        with_accounts(server.url, "ada", "bob")
        with_messages(server.url, "ada", "bob", "one", "two")

        status = server.stop()
        assert server.process.stderr is not None
        log = server.process.stderr.read()

    lines = [json.loads(it) for it in diary.read_text().splitlines()]
    stored = [(it[1], it[3], it[5], it[6]) for it in lines if it[0] == "stored"]
    assert stored == [("ada", "bob", 1, "one"), ("ada", "bob", 2, "two")]
    assert [it for it in lines if it[0] == "waiting"] == [["waiting", "bob", 2, 2]]
    assert status == 0
    assert "The handler Diary.waiting failed" in log


def told_wrongly(folder: Path, *flags: str) -> tuple[int, str]:
    """The status and the line of a server that does not start."""
    done = chatcore("serve", *on_disk(folder), *flags)
    assert not (folder / "chat.db").exists()
    return done.status, done.errors


def test_webhooks_that_cannot_be_sent_are_one_line_and_no_store(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2hvcnQ=\n", encoding="ascii")
    url = ("--webhook", "https://app.example")
    file = ("--webhook-secret-file", str(secret))
    missing = ("--webhook-secret-file", str(tmp_path / "missing"))

    assert told_wrongly(tmp_path, *url) == (
        2,
        "chatcore: [701] --webhook and --webhook-secret-file go together.\n",
    )
    status, line = told_wrongly(tmp_path, "--webhook", "ftp://app.example", *file)
    assert (status, "it is no https://HOST… or http://HOST…" in line) == (2, True)
    status, line = told_wrongly(tmp_path, *url, *missing)
    assert (status, "No such file" in line) == (2, True)
    status, line = told_wrongly(tmp_path, *url, *file)
    assert (status, "line 1 has 5 bytes, not 24 to 64" in line) == (2, True)
    assert "c2hvcnQ" not in line
    status, line = told_wrongly(tmp_path, *url, *file, "--webhook-at-once", "0")
    assert (status, "at least 1" in line) == (2, True)


def test_the_log_has_no_url_and_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="ascii")
    secret.chmod(0o644)
    flags = (
        *("--webhook", "http://127.0.0.1:1/hooks-7411?token=7412"),
        *("--webhook-secret-file", str(secret), "--log-level", "debug"),
    )
    with running_server(*on_disk(tmp_path), *flags) as server:
        with_accounts(server.url, "ada")
        with_messages(server.url, "ada", "ada", "a body that nobody logs")
        status = server.stop()
        assert server.process.stderr is not None
        log = server.process.stderr.read()

    assert status == 0
    assert "can be read by others" in log
    assert "http://127.0.0.1:1 does not take webhooks" in log
    for hidden in ("7411", "7412", SECRET, "a body"):
        assert hidden not in log
