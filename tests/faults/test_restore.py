"""A backup under load, a kill, a restore: receipts are kept, and nobody comes back.

What a client had a receipt for when the backup was asked for is there after the
restore; who was erased after it is gone, also where the server was killed between the
erasure log and the store. For a longer run, ``CHATCORE_BACKUP_MESSAGES=50000``.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from chatcore.commands import InboxAction, OutboxAction
from chatcore.errors import ChatError, WrongCredentials
from chatcore.events import Accepted, Delivered
from chatstores.sqlite.checking import check
from tests.app.processes import (
    CHEAP,
    COMMAND,
    RunningServer,
    chatcore,
    running_server,
)
from tests.faults.backup_chatcore import SCHEME
from transports import Client, ReconnectPolicy, connect

PASSWORD: Final = "correct horse"
MESSAGES: Final = int(os.environ.get("CHATCORE_BACKUP_MESSAGES", "1000"))
SOCKET: Final = "admin.sock"
DYING: Final = (sys.executable, "-m", "tests.faults.backup_chatcore")
ONCE: Final = ReconnectPolicy(first_delay_s=0.01, give_up_s=0.01)


@contextmanager
def running(folder: Path, *, dying: bool = False) -> Iterator[RunningServer]:
    """A server of all transports on the database and the erasure log of a folder."""
    scheme = SCHEME if dying else "sqlite"
    flags = ("--transport", "all", "--port", "0", *CHEAP)
    store = ("--store", f"{scheme}:///{folder}/chat.db")
    log = ("--erasure-log", str(folder / "erasures"))
    door = ("--admin-socket", str(folder / SOCKET))
    with running_server(
        *flags,
        *store,
        *log,
        *door,
        *("--limit", "mailbox_messages=1000000"),
        listeners=4,
        program=DYING if dying else COMMAND,
    ) as server:
        yield server


async def operate(folder: Path, *words: str) -> None:
    """Do as an operator does who types this."""
    door = ("--socket", SOCKET, "--json")
    done = await asyncio.to_thread(chatcore, *words, *door, folder=folder)
    assert done.status == 0, done.errors


class Load:
    """What ``ada`` sends to ``bob``.

    Attributes:
        receipts: the bodies of what was stored, by position.
    """

    def __init__(self) -> None:
        self.receipts: dict[int, str] = {}
        self._enough = asyncio.Event()
        self._moved = asyncio.Event()

    async def until_lost(self, client: Client) -> None:
        """Send until the server has gone, and note what has a receipt."""
        with suppress(ChatError):
            for number in count():
                bodies = [f"{number} {n}" for n in range(10)]
                sent = await client.send_all([("bob", body) for body in bodies])
                for body, it in zip(bodies, sent, strict=True):
                    if isinstance(it, Accepted):
                        self.receipts[it.position] = body
                self._moved.set()
                if len(self.receipts) >= MESSAGES:
                    self._enough.set()

    async def goes_on(self) -> None:
        """Return once there are more receipts than now."""
        self._moved.clear()
        await self._moved.wait()

    async def runs(self) -> dict[int, str]:
        """All receipts up to now, once there are enough."""
        await self._enough.wait()
        return dict(self.receipts)


async def waiting(url: str, name: str) -> list[Delivered]:
    """All that waits for an account."""
    async with connect(url) as client:
        queued = (await client.login(name, PASSWORD)).queued
        messages = client.messages()
        return [await anext(messages) for _ in range(queued)]


async def erase(client: Client, name: str) -> None:
    await client.delete(
        name, PASSWORD, inbox=InboxAction.DISCARD, outbox=OutboxAction.RETRACT
    )


@pytest.mark.slow
@pytest.mark.rule("M1", "M2", "D5")
async def test_a_backup_under_load_keeps_receipts_and_brings_nobody_back(
    tmp_path: Path,
) -> None:
    backup, load = tmp_path / "backup.db", Load()
    async with AsyncExitStack() as stack:
        server = stack.enter_context(running(tmp_path))
        eve, ada, *_ = [
            await stack.enter_async_context(connect(url, reconnect=ONCE))
            for url in server.urls
        ]
        await ada.login("ada", PASSWORD, create=True)
        await ada.create("bob", PASSWORD)
        await ada.create("zoe", PASSWORD)
        await eve.login("eve", PASSWORD, create=True)
        await eve.send("bob", "to be taken back")
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(load.until_lost(ada))
        promised = await load.runs()
        await operate(tmp_path, "backup", "backup.db")
        await erase(eve, "eve")
        await operate(tmp_path, "admin", "accounts", "delete", "zoe", "--yes")
        await load.goes_on()
        server.stop(signal.SIGKILL)

    restored = chatcore(
        *("restore", str(backup), "--store", f"sqlite:///{tmp_path}/chat.db"),
        *("--erasure-log", str(tmp_path / "erasures"), "--force", "--json"),
    )

    assert restored.status == 0, restored.errors
    told = json.loads(restored.lines[0])
    assert (told["accounts"], told["erased"], told["log_sequence"]) == (2, 2, 2)
    # As it was when it was killed: sound as well.
    assert check(Path(told["kept"])).findings == check(backup).findings == []
    with running(tmp_path) as server:
        arrived = await waiting(server.url, "bob")
        for name in ("eve", "zoe"):
            with pytest.raises(WrongCredentials):
                await waiting(server.url, name)
    found = {int(it.position): it.body for it in arrived}
    assert promised.items() <= found.items() <= load.receipts.items()
    assert {it.sender for it in arrived} == {"ada"}


@pytest.mark.slow
@pytest.mark.rule("D5", "D6")
async def test_a_kill_between_the_log_and_the_store_erases_at_the_next_start(
    tmp_path: Path,
) -> None:
    backup = tmp_path / "backup.db"
    with running(tmp_path, dying=True) as server:
        async with connect(server.url, reconnect=ONCE) as ada:
            await ada.create("bob", PASSWORD)
            await ada.login("ada", PASSWORD, create=True)
            await ada.send("bob", "to be taken back")
            await operate(tmp_path, "backup", "backup.db")
            with pytest.raises(ChatError):
                await erase(ada, "ada")

    left = check(tmp_path / "chat.db")
    with running(tmp_path) as server:
        with pytest.raises(WrongCredentials):
            await waiting(server.url, "ada")
        assert await waiting(server.url, "bob") == []
    again = chatcore(
        *("restore", str(backup), "--store", f"sqlite:///{tmp_path}/again.db"),
        *("--erasure-log", str(tmp_path / "erasures"), "--json"),
    )

    assert (left.accounts, left.findings) == (2, [])
    assert json.loads(again.lines[0])["erased"] == 1
