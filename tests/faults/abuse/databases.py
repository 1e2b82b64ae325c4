"""Databases with accounts, names or mail that would take too long to make by attacks.

They are put in through the store's port, before a server runs; a password's hash says
what it costs to check, so theirs cost next to nothing.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher

from chatcore.ids import NO_ADDRESS, NO_KEY, PasswordHash, TokenHash, Username
from chatcore.model import Deposit
from chatcore.store import KeySpan, MailboxRoom, Store
from chatstores import open_store
from tests.faults.abuse.intruders import PASSWORD
from tests.stores import first_durable

NOTICE_MAILBOXES: Final = 20
NOTICE_MESSAGES: Final = 10_000
_ACCOUNTS: Final = 520
_NAMES: Final = 20_000
_AT_ONCE: Final = 1_000


class Databases:
    """Each is made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path | None:
        """The folder of the database ``accounts``, ``names`` or ``notices``.

        None for no name. It runs an event loop of its own.
        """
        if not name:
            return None
        made = self._folder / name
        if not made.exists():
            made.mkdir()
            asyncio.run(_make(name, first_durable().url_in(made)))
        return made


async def _make(name: str, url: str) -> None:
    async with open_store(url) as store:
        match name:
            case "accounts":
                await _create(store, [f"peer{it}" for it in range(_ACCOUNTS)])
            case "names":
                await _create(store, [f"{'a' * 58}{it:06d}" for it in range(_NAMES)])
            case "notices":
                await _create(store, [f"peer{it}" for it in range(_ACCOUNTS)])
                await _fill_mailboxes(store)
            case _:
                raise ValueError(f"There is no database {name!r}.")


async def _create(store: Store, names: Sequence[str]) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    password_hash = PasswordHash(cheap.hash(PASSWORD))
    create = partial(store.create_account, key=NO_KEY, at_ms=_now_ms())
    for first in range(0, len(names), _AT_ONCE):
        async with asyncio.TaskGroup() as tasks:
            for name in names[first : first + _AT_ONCE]:
                tasks.create_task(create(Username(name), password_hash))


async def _fill_mailboxes(store: Store) -> None:
    """``peer0`` has sent as much as goes to each of the next twenty."""
    sender = await store.find_account(Username("peer0"))
    assert sender is not None
    opened = await store.open_session(
        sender.id,
        TokenHash(bytes(32)),
        password_hash=sender.password_hash,
        address=NO_ADDRESS,
        at_ms=_now_ms(),
    )
    assert opened is not None
    for index in range(1, NOTICE_MAILBOXES + 1):
        deposit = Deposit(
            sender_id=sender.id,
            epoch=opened.epoch,
            recipient=Username(f"peer{index}"),
            body="x",
            body_bytes=1,
            key=NO_KEY,
            sent_at_ms=_now_ms(),
        )
        for _ in range(0, NOTICE_MESSAGES, _AT_ONCE):
            await store.deposit(
                [deposit] * _AT_ONCE,
                room=MailboxRoom(NOTICE_MESSAGES, NOTICE_MESSAGES, NOTICE_MESSAGES),
                keys=KeySpan(NO_KEY, NO_KEY),
            )
    await store.end_session(sender.id, opened.epoch)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
