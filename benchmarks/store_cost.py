"""What a message costs in a store: µs of process CPU to deposit and acknowledge it.

Pairs of accounts, each with one caller that deposits a batch under new keys, waits for
the results, and acknowledges it, as a server under load does. Run it as::

    PYTHONPATH=src python benchmarks/store_cost.py [URL...]

Without a URL it takes ``memory:`` and a new SQLite file in a temporary folder: on a
disk that syncs, or the figures say nothing about one.
"""

import asyncio
import sys
import tempfile
import time
from itertools import count

from chatcore.ids import (
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
from chatcore.ports import Store, Stored
from stores import open_store

BODY = "x" * 64
PAIRS = 8
MESSAGES = 40_000
BATCHES = (1, 16, 64)

_numbers = count(1)


def new_key() -> IdempotencyKey:
    """A UUIDv7 in all that a store sees of it."""
    millisecond = time.time_ns() // 1_000_000
    return IdempotencyKey((millisecond << 80 | next(_numbers)).to_bytes(16, "big"))


async def open_account(store: Store, name: str) -> tuple[AccountId, Epoch]:
    """A new account with a session."""
    account = await store.create_account(
        Username(name), PasswordHash("-"), key=NO_KEY, at_ms=0
    )
    assert account is not None
    session = await store.open_session(account, TokenHash(name.encode()))
    assert session is not None
    return account, session.epoch


async def run_pair(store: Store, pair: int, *, batch: int, messages: int) -> None:
    """Deposit and acknowledge ``messages``, one batch after the other."""
    sender, sender_epoch = await open_account(store, f"from-{batch}-{pair}")
    name = Username(f"to-{batch}-{pair}")
    recipient, epoch = await open_account(store, name)
    for _ in range(messages // batch):
        deposits = [
            Deposit(sender, sender_epoch, name, BODY, len(BODY), new_key(), 0)
            for _ in range(batch)
        ]
        results = await store.deposit(
            deposits, mailbox_messages=10_000, oldest_key=NO_KEY
        )
        last = results[-1]
        assert isinstance(last, Stored)
        store.acknowledge(recipient, epoch, Position(last.position))


async def measure(url: str) -> None:
    """Print the cost for each size of batch."""
    print(f"{url.partition(':')[0]}, {PAIRS} callers, {len(BODY)}-byte bodies")
    print(f"{'batch':>6} {'µs CPU/message':>15} {'messages/s':>11}")
    async with open_store(url) as store:
        for batch in BATCHES:
            messages = MESSAGES if batch > 1 else MESSAGES // 10
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            async with asyncio.TaskGroup() as pairs:
                for pair in range(PAIRS):
                    part = messages // PAIRS
                    run = run_pair(store, pair, batch=batch, messages=part)
                    pairs.create_task(run)
            await store.flush()
            cpu_s, wall_s = (
                time.process_time() - cpu_s,
                time.perf_counter() - wall_s,
            )
            cost_us = cpu_s / messages * 1e6
            print(f"{batch:>6} {cost_us:>15.1f} {messages / wall_s:>11,.0f}")


def main() -> None:
    """Measure the stores that the command line names."""
    with tempfile.TemporaryDirectory() as folder:
        for url in sys.argv[1:] or ["memory:", f"sqlite:///{folder}/cost.db"]:
            asyncio.run(measure(url))


if __name__ == "__main__":
    main()
