"""Each durable store keeps webhooks as the memory store does, whatever is asked."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.outbox import Retry, outbox_of
from chatcore.store import Store
from chatstores import open_store
from chatstores.memory import MemoryStore
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver, key

TARGETS = ("https://a.example", "https://b.example")
NUMBERS = st.lists(st.integers(1, 12), max_size=3, unique=True)


@dataclass(frozen=True, slots=True)
class Begin:
    targets: list[str]
    with_body: bool
    retry_failed: bool


@dataclass(frozen=True, slots=True)
class Send:
    sender: int
    recipient: int
    bodies: list[str]


@dataclass(frozen=True, slots=True)
class Settle:
    sent: list[int]
    again: list[tuple[int, int]]
    failed: list[int]


@dataclass(frozen=True, slots=True)
class Delete:
    person: int
    retract: bool


@dataclass(frozen=True, slots=True)
class Forget:
    days: int


Operation: TypeAlias = Begin | Send | Settle | Delete | Forget

OPERATIONS = st.lists(
    st.one_of(
        st.builds(
            Begin,
            st.lists(st.sampled_from(TARGETS), unique=True, min_size=1),
            st.booleans(),
            st.booleans(),
        ),
        *[
            st.builds(
                Send,
                st.integers(0, 2),
                st.integers(0, 2),
                st.lists(st.sampled_from(["x", "é\0"]), max_size=3),
            )
        ]
        * 2,
        st.builds(
            Settle,
            NUMBERS,
            st.lists(
                st.tuples(st.integers(1, 12), st.sampled_from([-5, 0, 5, 500])),
                max_size=3,
            ),
            NUMBERS,
        ),
        st.builds(Delete, st.integers(0, 2), st.booleans()),
        st.builds(Forget, st.sampled_from([-1, 1])),
    ),
    max_size=12,
)


async def people_of(store: Store) -> list[Person]:
    driver = StoreDriver(store)
    return [await driver.register(it) for it in ("ada", "bob", "eve")]


async def run(store: Store, people: list[Person], operation: Operation) -> object:
    """Do it, and say all that can be seen of the outbox then."""
    driver, outbox = StoreDriver(store), outbox_of(store)
    match operation:
        case Begin(targets, with_body, retry_failed):
            await outbox.begin(targets, with_body=with_body, retry_failed=retry_failed)
        case Send(sender, recipient, bodies):
            await driver.send(people[sender], people[recipient].name, *bodies)
        case Settle(sent, again, failed):
            retries = [Retry(number, NOW_MS + it) for number, it in again]
            await outbox.settle(sent=sent, again=retries, failed=failed)
        case Delete(person, retract):
            await driver.delete(people[person], retract=retract)
        case Forget(days):
            await store.forget(key(0, at_ms=NOW_MS + days))
    return await seen(store)


async def seen(store: Store) -> object:
    """All that can be seen of the outbox."""
    outbox = outbox_of(store)
    due = [
        await outbox.due(target, now_ms=NOW_MS, longest_ms=100, limit=limit)
        for target in TARGETS
        for limit in (1, 100)
    ]
    return [list(it) for it in due], outbox.waiting, outbox.failed


async def compare(operations: list[Operation], url: str) -> None:
    memory = MemoryStore()
    people = await people_of(memory)
    first: list[Operation] = [Begin([*TARGETS], with_body=True, retry_failed=False)]
    async with open_store(url) as store:
        assert await people_of(store) == people
        for operation in [*first, *operations]:
            expected = await run(memory, people, operation)
            assert await run(store, people, operation) == expected, operation
        left = await seen(store)
    async with open_store(url) as store:
        assert await seen(store) == left


@settings(deadline=None, max_examples=20)
@given(operations=OPERATIONS)
def test_sqlite_keeps_webhooks_as_memory_does(operations: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(compare(operations, f"sqlite:///{Path(folder) / 'chat.db'}"))
