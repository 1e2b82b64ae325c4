"""What a message costs in a store: µs of process CPU to deposit and acknowledge it.

Pairs of accounts, each with one caller that deposits a batch under new keys, waits for
the results, and acknowledges it, as a server under load does. Run it as::

    PYTHONPATH=src python benchmarks/store_cost.py [URL...]
    PYTHONPATH=src python benchmarks/store_cost.py --loads 1x1,8x16 --queued 1000000
    PYTHONPATH=src python benchmarks/store_cost.py --keys 10000000

Without a URL it takes ``memory:`` and a new SQLite file in a temporary folder: on a
disk that syncs, or the figures say nothing about one. ``--queued`` messages in the
mailboxes of 1,000 accounts, and live ``--keys``, are put into the new SQLite file
before it is measured, beside one that is empty. ``chatbench.micro`` does the measuring.
"""

import asyncio
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from chatbench.micro import BODY, load_cost
from chatstores import open_store

LOADS: Final = "1x1,200x1,8x1,8x16,8x64"
MESSAGES: Final = 4_000
"""About so many are deposited in one repeat."""

ACCOUNTS: Final = 1_000
CHUNK: Final = 100_000

FILL_ACCOUNTS: Final = """
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
    INSERT INTO account (username, password_hash, created_at_ms)
    SELECT 'full-' || n, '-', 0 FROM n
"""
FILL_MAILBOXES: Final = "INSERT INTO mailbox (account) SELECT id FROM account"
FILL_MESSAGES: Final = """
    WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
    INSERT INTO message (account, position, sender, sent_at_ms, body)
    SELECT 1 + n / ?3, 1 + n % ?3, 1 + n % 7, 0, ?4 FROM n
"""
FILL_KEYS: Final = """
    WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
    INSERT INTO send_key
    SELECT unhex(printf('%012x7000%s', ?3 + n / 20, hex(randomblob(8)))), 1 + n % 997,
        'full-' || (1 + n % 1000), randomblob(16), 1 + n % 1000, 1, ?3 + n / 20, 0
    FROM n
"""


def main() -> None:
    """Measure the stores that the command line names."""
    parser = ArgumentParser(description="What a message costs in a store.")
    parser.add_argument("urls", nargs="*", metavar="URL")
    parser.add_argument("--loads", default=LOADS, help="pairs x messages at a time")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--queued", type=int, default=0, help="messages that wait")
    parser.add_argument("--keys", type=int, default=0, help="keys that are known")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        urls = asked.urls or ["memory:", f"sqlite:///{folder}/cost.db"]
        if asked.queued or asked.keys:
            full = Path(folder) / "full.db"
            asyncio.run(_make(f"sqlite:///{full}"))
            _fill(full, asked.queued, asked.keys)
            urls = [f"sqlite:///{folder}/empty.db", f"sqlite:///{full}"]
        for url in urls:
            asyncio.run(_measure(url, asked.loads.split(","), asked.repeats))


async def _make(url: str) -> None:
    async with open_store(url):
        pass


def _fill(path: Path, queued: int, keys: int) -> None:
    """Rows as a store of many messages and keys has them."""
    each = max(1, -(-queued // ACCOUNTS))
    first_ms = time.time_ns() // 1_000_000 - keys // 20
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(FILL_ACCOUNTS, (ACCOUNTS,))
        connection.execute(FILL_MAILBOXES)
        for start in range(0, queued, CHUNK):
            end = min(start + CHUNK, queued) - 1
            connection.execute(FILL_MESSAGES, (start, end, each, BODY))
        for start in range(0, keys, CHUNK):
            end = min(start + CHUNK, keys) - 1
            connection.execute(FILL_KEYS, (start, end, first_ms))


async def _measure(url: str, loads: list[str], repeats: int) -> None:
    began_s = time.perf_counter()
    async with open_store(url) as store:
        opened_ms = (time.perf_counter() - began_s) * 1000
        name = url.rpartition("/")[2] if "/" in url else url.partition(":")[0]
        print(f"{name}: opened in {opened_ms:.0f} ms, {len(BODY)}-byte bodies")
        for load in loads:
            pairs, batch = map(int, load.split("x"))
            deposits = max(8, MESSAGES // (pairs * batch))
            cost_us = await load_cost(
                store, pairs=pairs, batch=batch, deposits=deposits, repeats=repeats
            )
            print(f"{load:>10} {cost_us:>8.1f} µs CPU a message")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
