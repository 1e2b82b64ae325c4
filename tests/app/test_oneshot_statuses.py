"""Each exit status of ``chatapp.exit_codes``, and the line that comes with it."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chatapp.exit_codes import ExitCode
from chatcore import Chat
from chatcore.errors import Busy
from chatcore.ids import PasswordHash
from chatstores import open_store
from chatsystem import system_environment
from tests.app.oneshots import Commands, line_of, started
from tests.app.processes import (
    CHEAP,
    RunningServer,
    running_server,
    with_accounts,
    with_messages,
)
from transports import serve


class NeverFree:
    """Checks no password: too many others wait (A2)."""

    async def hash(self, password: str, *, address: str) -> PasswordHash:
        raise Busy(retry_after_ms=len(password + address))

    async def verify(
        self, password_hash: PasswordHash | None, password: str, *, address: str
    ) -> bool:
        raise Busy(retry_after_ms=len(password or password_hash or address))

    def is_outdated(self, password_hash: PasswordHash) -> bool:
        return not password_hash


@contextmanager
def busy_server() -> Iterator[str]:
    """A server in a thread that has no time to check a password; its URL."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    accepting = threading.Event()
    found: list[str] = []

    async def run() -> None:
        environment = replace(system_environment(), passwords=NeverFree())
        async with (
            open_store("memory:") as store,
            serve(Chat(store), "tcp://127.0.0.1:0", environment=environment) as urls,
        ):
            found.extend(urls)
            accepting.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    accepting.wait()
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_0_is_done(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "e-amy")

    assert run("list", "--as", "e-amy").status == ExitCode.DONE


@pytest.mark.rule("E1")
def test_1_is_refused_with_the_code(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "e-ben")

    done = run("create", "e-ben")

    assert done.status == ExitCode.REFUSED
    assert done.errors == "chatcore: [204] The name e-ben is taken; choose another.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("send",),
        ("create", "two", "words"),
        ("list", "--as", "e-amy", "--unknown"),
        ("list",),
        ("send", "bob", "hi", "--as", "e-amy", "--key", "none"),
        ("send", "bob", "hi", "--as", "e-amy", "--lines"),
        ("receive", "--as", "e-amy", "--count", "0"),
        ("receive", "--as", "e-amy", "--wait", "-1"),
        ("receive", "--as", "e-amy", "--wait", "1", "--follow"),
        ("delete", "--as", "e-amy", "--preset", "burn"),
        ("delete", "--as", "e-amy", "--preset", "deliver+keep", "--inbox", "deliver"),
        ("list", "--as", "e-amy", "--connect", "pigeon://here"),
        ("list", "--as", "e-amy", "--password-file"),
    ],
)
def test_2_is_asked_wrongly(run: Commands, arguments: tuple[str, ...]) -> None:
    plain = run(*arguments)
    as_json = run(*arguments[:1], "--json", *arguments[1:])

    assert plain.status == as_json.status == ExitCode.MISUSED
    assert plain.errors.startswith("chatcore")
    assert plain.errors.count("\n") == 1
    assert (as_json.error["code"], as_json.error["name"]) == (701, "SETTING_WRONG")


@pytest.mark.rule("A2")
def test_3_is_wrong_credentials(run: Commands) -> None:
    done = run("list", "--as", "e-nobody")

    assert done.status == ExitCode.WRONG_CREDENTIALS
    assert done.errors == "chatcore: [202] The username or the password is wrong.\n"


@pytest.mark.rule("S1")
def test_4_is_an_account_in_use(server: RunningServer, run: Commands) -> None:
    with_accounts(server.url, "e-cat")
    with_messages(server.url, "e-cat", "e-cat", "one")
    with started(server.url, "receive", "--as", "e-cat", "--follow") as first:
        line_of(first)

        done = run("list", "--as", "e-cat", "--json")

    assert done.status == ExitCode.ACCOUNT_IN_USE
    assert done.error["code"] == 203
    assert done.error["fields"] == {"username": "e-cat"}


@pytest.mark.rule("M6")
def test_5_is_no_such_recipient_and_a_full_mailbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    memory = ("--listen", "tcp://127.0.0.1:0", "--store", "memory:", *CHEAP)
    with running_server(*memory, "--limit", "mailbox_messages=1") as server:
        run = Commands(server.url, tmp_path, monkeypatch, capfd)
        with_accounts(server.url, "ada")
        with_messages(server.url, "ada", "ada", "one")

        unknown = run("send", "e-nobody", "hi", "--as", "ada", "--json")
        full = run("send", "ada", "hi", "--as", "ada", "--json")

    assert unknown.status == full.status == ExitCode.NOT_DELIVERABLE
    assert (unknown.error["code"], full.error["code"]) == (300, 301)


def test_6_is_a_server_that_was_not_reached(
    server: RunningServer, run: Commands
) -> None:
    with_accounts(server.url, "e-dan")
    nowhere = "tcp://127.0.0.1:1"

    none = run("list", "--as", "e-dan", "--connect", nowhere)
    second = run("list", "--as", "e-dan", "--connect", nowhere, "--connect", server.url)

    assert none.status == ExitCode.NOT_REACHED
    assert re.fullmatch(r"chatcore: \[704\] Cannot connect to .+\n", none.errors)
    assert second.status == 0


def test_7_is_a_server_that_cannot_now(run: Commands) -> None:
    with busy_server() as url:
        done = run("list", "--as", "e-eve", "--connect", url, "--json")

    assert done.status == ExitCode.TRY_AGAIN
    assert done.error["name"] == "BUSY"
    assert done.error["fields"] == {"retry_after_ms": "13"}


# 8, 130, 141 and 143 are in test_oneshot_receive.py.
