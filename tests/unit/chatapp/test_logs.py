"""Log lines: one each, whatever is in them, and with the connection's name."""

import asyncio
import json
import logging
import re
from contextvars import copy_context

import pytest

from chatapp.logs import JsonLines, TextLines
from transports.audit_log import FIELDS
from transports.connection_names import (
    CONNECTION_FIELD,
    ConnectionFilter,
    connection_name,
    name_connection,
)
from transports.rate_limited_log import WHILE_S, RateLimitedLog

HOSTILE = 'ada\r\n{"level": "error"}\x1b[2J\u2028\x85\x00\udcff\u202e'
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def record(message: str, *values: object, **attributes: object) -> logging.LogRecord:
    """A record as a logger makes it, after the filter."""
    made = logging.LogRecord("here", logging.INFO, __file__, 1, message, values, None)
    vars(made).update(attributes)
    assert ConnectionFilter().filter(made)
    return made


def fail() -> None:
    raise LookupError(HOSTILE)


def raised() -> logging.LogRecord:
    """A record with a traceback, whose error is a peer's text."""
    made = record("It failed")
    with pytest.raises(LookupError) as caught:
        fail()
    made.exc_info = (caught.type, caught.value, caught.tb)
    return made


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_what_a_peer_says_cannot_break_a_line(form: logging.Formatter) -> None:
    line = form.format(record("Refused %s", HOSTILE))

    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_a_line_of_json_gives_back_what_was_said() -> None:
    line = json.loads(JsonLines().format(record("Refused %s", HOSTILE)))

    assert line["message"] == f"Refused {HOSTILE}"
    assert AT.fullmatch(line["at"])
    assert (line["level"], line["logger"]) == ("info", "here")
    assert line.keys() == {"at", "level", "logger", "message"}


def test_a_traceback_is_in_the_line_or_indented_below_it() -> None:
    as_json = JsonLines().format(raised())
    first, *below = TextLines().format(raised()).split("\n")

    assert len(as_json.splitlines()) == 1
    assert HOSTILE in json.loads(as_json)["error"]
    assert first.endswith("INFO here: It failed")
    assert all(line.startswith("  ") for line in below)
    assert all(line.isprintable() for line in below)


def test_fields_are_for_programs() -> None:
    made = record("login of %s", "ada", **{FIELDS: {"username": "ada"}})

    assert json.loads(JsonLines().format(made))["fields"] == {"username": "ada"}
    assert "fields" not in TextLines().format(made)


async def test_lines_of_a_connection_have_its_name_and_others_have_none() -> None:
    async def serve() -> list[str]:
        name = name_connection()
        async with asyncio.TaskGroup() as tasks:
            inner = tasks.create_task(asyncio.to_thread(record, "inside"))
        names = [connection_name(), vars(record("here"))[CONNECTION_FIELD]]
        return [name, *names, vars(inner.result())[CONNECTION_FIELD]]

    first, second = await asyncio.gather(serve(), serve())
    outside = record("outside")
    named = copy_context().run(lambda: (name_connection(), record("told")))

    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
    assert not vars(outside)[CONNECTION_FIELD]
    assert "connection" not in json.loads(JsonLines().format(outside))
    assert json.loads(JsonLines().format(named[1]))["connection"] == named[0]
    assert f" INFO here: [{named[0]}] told" in TextLines().format(named[1])


def test_what_was_left_out_of_many_connections_has_no_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(ConnectionFilter())
    now_s = 0.0
    log = RateLimitedLog(logging.getLogger("limited"), now_s=lambda: now_s)

    def flood() -> None:
        name_connection()
        for number in range(30):
            log.info("Refused %d", number)

    copy_context().run(flood)
    now_s = WHILE_S
    later = copy_context()
    later.run(name_connection)
    later.run(log.settle)

    *written, left_out = [(it.getMessage(), vars(it)) for it in caplog.records]
    assert left_out[0] == "10 more lines in 10 s like: Refused %d"
    assert not left_out[1][CONNECTION_FIELD]
    assert all(it[CONNECTION_FIELD] for _, it in written)
