"""The operator's socket, and who may be at its other end."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from chatapp.admin.protocol import REQUEST_BYTES, encode
from chatapp.admin.server import CONNECTIONS, admin_socket
from chatapp.errors import CannotServe
from chatcore import Chat, HashSettings, open_store, serve, system_environment

SESSIONS = encode({"version": 1, "command": "sessions", "arguments": {}})
WITHIN_S = 10.0


@asynccontextmanager
async def door(
    folder: Path, *, idle_s: float = 30.0, chat: type[Chat] = Chat
) -> AsyncIterator[str]:
    """A socket that is answered; its path."""
    path = str(folder / "admin.sock")
    environment = system_environment(HashSettings(memory_kib=8, passes=1))
    async with open_store("memory:") as store:
        served = chat(store)
        async with (
            serve(served, environment=environment),
            admin_socket(served, path, idle_s=idle_s),
        ):
            yield path


async def conversation(path: str, said: bytes) -> list[dict[str, object]]:
    """All lines that come back, until the server hangs up or has ended its answer."""
    reader, writer = await asyncio.open_unix_connection(path)
    lines: list[dict[str, object]] = []
    async with asyncio.timeout(WITHIN_S):
        writer.write(said)
        # A server that hangs up on what it has not read has the rest fail.
        with suppress(ConnectionResetError):
            while line := await reader.readline():
                lines.append(json.loads(line))
                if "done" in lines[-1]:
                    break
    writer.close()
    return lines


def error_of(lines: list[dict[str, object]]) -> tuple[object, object]:
    """Number and text of the error that is the only answer."""
    ((name, error),) = lines[0].items()
    assert name == "error"
    assert isinstance(error, dict)
    return error["code"], error["text"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"\n", "This is no JSON."),
        (b"\xff\xfe\n", "This is no JSON."),
        (b"[" * 8000 + b"\n", "This is no JSON."),
        (b"[]\n", "This is no JSON object."),
        (b"{}\n", "This server speaks version 1."),
        (b'{"version": 2, "command": "sessions"}\n', "This server speaks version 1."),
        (b'{"version": 1}\n', "A request has a command and its arguments."),
        (b"x" * (REQUEST_BYTES * 3), f"A request has at most {REQUEST_BYTES} bytes."),
    ],
    ids=["empty", "no UTF-8", "deep", "list", "no version", "new", "bare", "long"],
)
@pytest.mark.rule("B1")
async def test_what_is_no_request_ends_the_connection_with_a_reason(
    tmp_path: Path, said: bytes, complaint: str
) -> None:
    async with door(tmp_path) as path:
        lines = await conversation(path, said)
        others = await conversation(path, SESSIONS)

    assert error_of(lines) == (721, complaint)
    assert others == [{"done": {}}]


@pytest.mark.parametrize(
    ("command", "arguments", "complaint"),
    [
        ("accounts eat", {}, "There is no command 'accounts eat'."),
        ("sessions", {"all": True}, "There is no argument 'all'."),
        ("sessions end", {}, "username is a text."),
        ("sessions end", {"username": 7}, "username is a text."),
        (
            "accounts delete",
            {"username": "a", "dry_run": 1},
            "dry_run is true or false.",
        ),
        (
            "accounts delete",
            {"username": "a", "inbox": "eat"},
            "inbox is one of discard, must-be-empty.",
        ),
    ],
)
async def test_what_a_command_does_not_take_is_told_and_the_connection_goes_on(
    tmp_path: Path, command: str, arguments: dict[str, object], complaint: str
) -> None:
    asked = encode({"version": 1, "command": command, "arguments": arguments})
    async with door(tmp_path) as path:
        lines = await conversation(path, asked + SESSIONS)

    assert error_of(lines) == (721, complaint)
    assert lines[1:] == [{"done": {}}]


@pytest.mark.rule("B3")
async def test_who_says_nothing_goes_and_so_does_who_stops_in_a_word(
    tmp_path: Path,
) -> None:
    async with door(tmp_path, idle_s=0.05) as path:
        silent = await conversation(path, b"")
        halting = await conversation(path, b'{"version": 1, ')

    assert silent == halting == []


@pytest.mark.rule("B3")
async def test_more_than_a_few_are_told_to_come_back(tmp_path: Path) -> None:
    async with door(tmp_path) as path:
        waiting = [await asyncio.open_unix_connection(path) for _ in range(CONNECTIONS)]
        for reader, writer in waiting:
            writer.write(SESSIONS)
            assert await reader.readline() == b'{"done":{}}\n'

        lines = await conversation(path, SESSIONS)

        for _, writer in waiting:
            writer.close()
            await writer.wait_closed()
        # The server takes its time to see that they have gone.
        while await conversation(path, SESSIONS) != [{"done": {}}]:
            pass

    assert error_of(lines)[0] == 500


class BrokenChat(Chat):
    """One whose operator's part fails."""

    @property
    def admin(self) -> None:  # type: ignore[override]  # that is what fails
        raise ZeroDivisionError("on purpose")


async def test_a_fault_of_ours_ends_one_command_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with door(tmp_path, chat=BrokenChat) as path:
        lines = await conversation(path, SESSIONS + b"{}\n")

    assert error_of(lines)[0] == 599
    assert len(lines) == 2
    assert "on purpose" in caplog.text


@pytest.mark.rule("B8")
async def test_no_password_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    arguments = {"username": "ada", "password": "correct horse"}
    asked = encode({"version": 1, "command": "accounts create", "arguments": arguments})
    async with door(tmp_path) as path:
        lines = await conversation(path, asked)

    assert lines == [{"done": {"account": 1}}]
    assert "accounts create ada" in caplog.text
    assert "correct horse" not in caplog.text


async def test_only_its_own_user_and_root_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path) as path:
        monkeypatch.setattr(os, "geteuid", lambda: 65_534)
        monkeypatch.setattr("chatapp.admin.server._ROOT", 65_533)
        lines = await conversation(path, SESSIONS)

    assert lines == []


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "admin.sock").write_text("somebody's", encoding="utf-8")

    with pytest.raises(CannotServe, match="something else is there"):
        async with door(tmp_path):
            pass

    assert (tmp_path / "admin.sock").read_text(encoding="utf-8") == "somebody's"


async def test_a_path_that_cannot_be_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path / ("x" * 200)):
        with pytest.raises(CannotServe, match="cannot listen there"):
            async with door(folder):
                pass


async def test_without_unix_sockets_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")

    with pytest.raises(CannotServe, match="has no Unix sockets"):
        async with door(tmp_path):
            pass


async def test_a_command_that_runs_is_finished_when_the_server_stops(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        arguments = {"username": "ada", "password": "correct horse"}
        writer.write(
            encode({"version": 1, "command": "accounts create", "arguments": arguments})
        )
        writer.write(encode({"version": 1, "command": "accounts", "arguments": {}}))
        first = await reader.readline()
    rest = await reader.read()
    writer.close()

    assert json.loads(first) == {"done": {"account": 1}}
    assert b"error" not in rest
