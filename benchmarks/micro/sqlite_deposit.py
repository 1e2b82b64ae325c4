"""A batch deposited in SQLite and acknowledged, by its own thread, with its commit.

The database is in a temporary folder: instructions say nothing about the disk.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Final

from benchmarks.micro.base import BODY, SIZES, Benchmark, Call
from chatcore.ids import (
    NO_ADDRESS,
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    TokenHash,
    Username,
)
from chatcore.model import Deposit
from chatcore.store import KeySpan, MailboxRoom, Store, Stored
from chatstores import open_store
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.key_times import key_of

_ANY_KEY: Final = KeySpan(NO_KEY, IdempotencyKey(b"\xff" * 16))
_ROOM: Final = MailboxRoom(full=10_000, crowded=10_000, share=10_000)


async def _open_account(store: Store, name: Username) -> tuple[AccountId, Epoch]:
    password = PasswordHash("-")
    account = await store.create_account(name, password, key=NO_KEY, at_ms=NOON_MS)
    assert account is not None
    session = await store.open_session(
        account,
        TokenHash(name.encode()),
        password_hash=password,
        address=NO_ADDRESS,
        at_ms=NOON_MS,
    )
    assert session is not None
    return account, session.epoch


def depositing(size: int) -> Callable[[], AbstractContextManager[Call]]:
    """So many messages of one sender in one call."""

    @contextmanager
    def opened() -> Iterator[Call]:
        with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
            opening = open_store(f"sqlite:///{folder}/micro.db")
            store = runner.run(opening.__aenter__())
            ada = runner.run(_open_account(store, Username("ada")))
            bob = runner.run(_open_account(store, Username("bob")))
            numbers = count(1)

            async def deposit() -> None:
                batch = [
                    Deposit(
                        *ada,
                        Username("bob"),
                        BODY,
                        len(BODY),
                        IdempotencyKey(key_of(next(numbers))),
                        NOON_MS,
                    )
                    for _ in range(size)
                ]
                stored = await store.deposit(batch, room=_ROOM, keys=_ANY_KEY)
                assert isinstance(stored[-1], Stored)
                store.acknowledge(*bob, stored[-1].position)

            yield lambda: runner.run(deposit())
            runner.run(opening.__aexit__(None, None, None))

    return opened


BENCHMARKS: Final = [
    Benchmark(f"sqlite-deposit-{size}", depositing(size)) for size in SIZES
]
