"""What a codec and a store cost a message by themselves: µs of this process's CPU.

Without a server, a socket or another process. Each figure is the median of some
repeats, after one that does not count.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

from chatcore.commands import Request, Send
from chatcore.events import Delivered, Event
from chatcore.ids import (
    NO_ADDRESS,
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.model import Deposit
from chatcore.store import KeySpan, MailboxRoom, Store, Stored
from chatstores import open_store
from transports.codec import CODECS, codec

BATCH: Final = 16
DEPOSITS: Final = {1: 80, 16: 20, 64: 10}
"""Each size of batch, and how many of it a caller deposits in one repeat."""

PAIRS: Final = 8
REPEATS: Final = 7
BODY: Final = "x" * 64

_FRAMES: Final = 400
_NS_PER_US: Final = 1000
_KEY: Final = bytes(range(16))
_AT_MS: Final = 1_795_000_000_000
_ANY_KEY: Final = KeySpan(NO_KEY, IdempotencyKey(b"\xff" * 16))


def codec_costs(
    *, batch: int = BATCH, repeats: int = REPEATS
) -> dict[str, dict[str, float]]:
    """What each codec costs a message, in frames of ``batch``, by what it does.

    ``encode_send`` and ``decode_delivered`` are a client's part, ``decode_send`` and
    ``encode_delivered`` a server's. A receipt and an acknowledgement are not in them.
    """
    return {
        name: {
            title: _cost_us(operation, batch, repeats)
            for title, operation in _operations(name, batch).items()
        }
        for name in CODECS
    }


def store_costs(folder: Path | None = None) -> dict[str, dict[str, float]]:
    """What each store costs a message, deposited and acknowledged, by batch size.

    ``batch_16`` is 16 messages in a call, of ``PAIRS`` callers at a time, so that the
    store commits up to ``PAIRS`` calls together, as it does under a server. The
    database is made in ``folder``, or where the system keeps temporary files. Runs an
    event loop of its own.
    """
    with tempfile.TemporaryDirectory(dir=folder) as made:
        urls = {"memory": "memory:", "sqlite": f"sqlite:///{made}/cost.db"}
        return {name: asyncio.run(store_cost(url)) for name, url in urls.items()}


async def store_cost(url: str, *, repeats: int = REPEATS) -> dict[str, float]:
    """As ``store_costs``, of the store at one URL; it is left with our messages."""
    async with open_store(url) as store:
        return {
            f"batch_{batch}": await load_cost(
                store, pairs=PAIRS, batch=batch, deposits=deposits, repeats=repeats
            )
            for batch, deposits in DEPOSITS.items()
        }


async def load_cost(
    store: Store,
    *,
    pairs: int,
    batch: int,
    deposits: int,
    repeats: int = REPEATS,
) -> float:
    """CPU a message where so many pairs deposit a ``batch`` at a time each."""
    names = count(time.time_ns())
    loads = [
        await _deposit_us(store, pairs, batch, deposits, names)
        for _ in range(repeats + 1)
    ]
    return median(loads[1:])


# ---- codecs


def _operations(name: str, batch: int) -> dict[str, Callable[[], object]]:
    it = codec(name)
    sends = [Request(n, Send("bob", BODY, _KEY)) for n in range(1, batch + 1)]
    deliveries: list[Event] = [
        Delivered(
            position=Position(1000 + n),
            follows=Position(999 + n),
            sender=Username("ada"),
            sender_id=AccountId(16),
            sender_deleted=False,
            body=BODY,
            sent_at_ms=_AT_MS,
        )
        for n in range(1, batch + 1)
    ]
    sent, delivered = it.encode_commands(sends), it.encode_events(deliveries)
    return {
        "encode_send": lambda: it.encode_commands(sends),
        "decode_send": lambda: it.decode_commands(sent),
        "encode_delivered": lambda: it.encode_events(deliveries),
        "decode_delivered": lambda: it.decode_events(delivered),
    }


def _cost_us(operation: Callable[[], object], batch: int, repeats: int) -> float:
    each: list[float] = []
    for _ in range(repeats + 1):
        began_ns = time.process_time_ns()
        for _ in range(_FRAMES):
            operation()
        each.append((time.process_time_ns() - began_ns) / _NS_PER_US)
    return median(each[1:]) / _FRAMES / batch


# ---- stores


async def _deposit_us(
    store: Store, pairs: int, batch: int, deposits: int, names: "count[int]"
) -> float:
    """CPU a message of one repeat, all threads of the store among it."""
    opened = [await _Pair.open(store, next(names)) for _ in range(pairs)]
    began_ns = time.process_time_ns()
    async with asyncio.TaskGroup() as running:
        for pair in opened:
            running.create_task(pair.run(batch, deposits))
    await store.flush()
    spent_us = (time.process_time_ns() - began_ns) / _NS_PER_US
    return spent_us / (pairs * deposits * batch)


class _Pair:
    """A sender and a recipient in a store."""

    def __init__(
        self,
        store: Store,
        sender: tuple[AccountId, Epoch],
        recipient: tuple[AccountId, Epoch],
        name: Username,
    ) -> None:
        self._store = store
        self._sender = sender
        self._recipient = recipient
        self._name = name
        self._numbers = count(1)

    @classmethod
    async def open(cls, store: Store, number: int) -> "_Pair":
        name = Username(f"to-{number}")
        sender = await _open_account(store, Username(f"from-{number}"))
        return cls(store, sender, await _open_account(store, name), name)

    async def run(self, batch: int, deposits: int) -> None:
        """Deposit under new keys, wait for the result, acknowledge, again and again."""
        room = MailboxRoom(full=2 * batch, crowded=2 * batch, share=2 * batch)
        for _ in range(deposits):
            messages = [
                Deposit(*self._sender, self._name, BODY, len(BODY), self._key(), 0)
                for _ in range(batch)
            ]
            results = await self._store.deposit(messages, room=room, keys=_ANY_KEY)
            match results[-1]:
                case Stored(position=position):
                    self._store.acknowledge(*self._recipient, position)
                case other:
                    raise RuntimeError(f"The store declined a message: {other}.")

    def _key(self) -> IdempotencyKey:
        """A UUIDv7 in all that a store sees of it."""
        at_ms = time.time_ns() // 1_000_000
        return IdempotencyKey((at_ms << 80 | next(self._numbers)).to_bytes(16, "big"))


async def _open_account(store: Store, name: Username) -> tuple[AccountId, Epoch]:
    """A new account with a session."""
    password = PasswordHash("-")
    account = await store.create_account(name, password, key=NO_KEY, at_ms=0)
    if account is not None:
        session = await store.open_session(
            account,
            TokenHash(name.encode()),
            password_hash=password,
            address=NO_ADDRESS,
            at_ms=0,
        )
        if session is not None:
            return account, session.epoch
    raise RuntimeError(f"The store made no account {name}.")
