"""What ``serve`` tells the application of messages, as processes see it."""

import json
from pathlib import Path
from textwrap import dedent

from tests.app.processes import (
    on_disk,
    running_server,
    with_accounts,
    with_messages,
)

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
