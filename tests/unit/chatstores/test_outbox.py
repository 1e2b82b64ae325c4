"""Webhooks are kept with their messages, by each store that keeps some."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.ids import NO_KEY
from chatcore.model import Erasure, LoggedErasure, LogMark
from chatcore.outbox import Outbox, QueuedWebhook, Retry, outbox_of
from chatcore.store import Store
from chatstores import open_store
from tests.stores import StoreKind
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver, key

HERE, THERE = "https://here.example/hooks", "https://there.example/hooks"
HOUR_MS = 3_600_000


@pytest.fixture
def url(outbox_kind: StoreKind, tmp_path: Path) -> Iterator[str]:
    with outbox_kind.running(tmp_path):
        yield outbox_kind.url_in(tmp_path)


async def due(
    store: Store, target: str = HERE, *, now_ms: int = NOW_MS, limit: int = 100
) -> list[QueuedWebhook]:
    """What is to be sent now."""
    outbox = outbox_of(store)
    return list(
        await outbox.due(target, now_ms=now_ms, longest_ms=HOUR_MS, limit=limit)
    )


async def begin(
    store: Store,
    *targets: str,
    with_body: bool = False,
    retry_failed: bool = False,
) -> Outbox:
    """Have webhooks kept for these targets."""
    outbox = outbox_of(store)
    await outbox.begin(targets, with_body=with_body, retry_failed=retry_failed)
    return outbox


async def two_people(driver: StoreDriver) -> tuple[Person, Person]:
    return await driver.register("ada"), await driver.register("bob")


async def test_there_is_one_for_each_new_message_and_target(
    driver: StoreDriver,
) -> None:
    ada, bob = await two_people(driver)
    outbox = await begin(driver.store, HERE, THERE)

    await driver.send(ada, "bob", "one", under=key(1))
    await driver.send(ada, "bob", "one", under=key(1))  # a repeat
    await driver.send(ada, "nobody", "two")
    await driver.send(bob, "ada", "three", "four")

    here, there = await due(driver.store), await due(driver.store, THERE)
    assert [it[2:] for it in here] == [
        (ada.id, "ada", bob.id, "bob", 1, NOW_MS, None),
        (bob.id, "bob", ada.id, "ada", 1, NOW_MS, None),
        (bob.id, "bob", ada.id, "ada", 2, NOW_MS, None),
    ]
    assert [it[1:] for it in here] == [it[1:] for it in there]
    assert len({it.number for it in here + there}) == 6
    assert (outbox.waiting, outbox.failed) == (6, 0)


async def test_there_is_none_of_what_was_stored_before(driver: StoreDriver) -> None:
    ada, _ = await two_people(driver)
    await driver.send(ada, "bob", "one")

    outbox = await begin(driver.store, HERE)

    assert (await due(driver.store), outbox.waiting) == ([], 0)


async def test_bodies_are_kept_where_that_is_asked_for(driver: StoreDriver) -> None:
    ada, _ = await two_people(driver)
    await begin(driver.store, HERE, with_body=True)

    await driver.send(ada, "bob", "zwölf\0")

    assert [it.body for it in await due(driver.store)] == ["zwölf\0"]


async def test_what_was_sent_is_gone_also_when_it_is_said_again(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE)
    await driver.send(ada, "bob", "one", "two")
    first, second = await due(driver.store)

    for _ in range(2):
        await outbox.settle(sent=[first.number], again=[], failed=[])
    await driver.send(ada, "bob", "three")

    left = await due(driver.store)
    assert [it.number for it in left[:1]] == [second.number]
    assert left[1].number > second.number
    assert outbox.waiting == 2


async def test_what_is_tried_again_is_due_later_and_counts_its_attempts(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE)
    await driver.send(ada, "bob", "one", "two")
    first, second = await due(driver.store)

    await outbox.settle(sent=[], again=[Retry(first.number, NOW_MS + 500)], failed=[])

    now = await due(driver.store)
    later = await due(driver.store, now_ms=NOW_MS + 500)
    assert [it.number for it in now] == [second.number]
    assert [(it.number, it.attempts) for it in later] == [
        (second.number, 0),
        (first.number, 1),
    ]


@pytest.mark.rule("B7")
async def test_one_that_a_wrong_clock_has_put_off_for_ever_is_due(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE)
    await driver.send(ada, "bob", "one")
    (first,) = await due(driver.store)

    far_ms = NOW_MS + 1000 * HOUR_MS
    await outbox.settle(sent=[], again=[Retry(first.number, far_ms)], failed=[])

    assert [it.number for it in await due(driver.store)] == [first.number]


async def test_what_has_failed_is_kept_until_it_is_asked_for_again(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE)
    await driver.send(ada, "bob", "one")
    (first,) = await due(driver.store)
    await outbox.settle(sent=[], again=[], failed=[first.number])
    counts = outbox.waiting, outbox.failed

    await begin(driver.store, HERE)
    without = await due(driver.store)
    await begin(driver.store, HERE, retry_failed=True)

    assert (counts, without) == ((0, 1), [])
    assert await due(driver.store) == [first]
    assert (outbox.waiting, outbox.failed) == (1, 0)


async def test_what_waits_for_a_target_that_is_not_named_any_more_has_failed(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE, THERE)
    await driver.send(ada, "bob", "one")

    await begin(driver.store, THERE)

    assert (outbox.waiting, outbox.failed) == (1, 1)
    assert await due(driver.store) == []


@pytest.mark.rule("D2")
async def test_a_deleted_account_leaves_no_body_that_was_sent_to_it(
    driver: StoreDriver,
) -> None:
    ada, bob = await two_people(driver)
    await begin(driver.store, HERE, with_body=True)
    await driver.send(ada, "bob", "to bob")
    await driver.send(bob, "ada", "from bob")

    await driver.delete(bob, discard=True)

    assert [it.body for it in await due(driver.store)] == [None, "from bob"]


@pytest.mark.rule("D3")
async def test_a_retraction_leaves_no_body_that_it_has_sent(
    driver: StoreDriver,
) -> None:
    ada, bob = await two_people(driver)
    await begin(driver.store, HERE, with_body=True)
    await driver.send(ada, "bob", "to bob")
    await driver.send(bob, "ada", "from bob")

    await driver.delete(bob, discard=True, retract=True)

    assert [it.body for it in await due(driver.store)] == [None, None]


@pytest.mark.rule("D5")
async def test_erasing_again_leaves_no_body_either(driver: StoreDriver) -> None:
    ada, bob = await two_people(driver)
    await begin(driver.store, HERE, with_body=True)
    await driver.send(ada, "bob", "to bob")
    erasure = Erasure(
        account=bob.id, discard=True, retract=False, key=NO_KEY, at_ms=NOW_MS
    )

    await driver.store.erase_again(LoggedErasure(LogMark(1, b"\1" * 32), erasure))

    assert [it.body for it in await due(driver.store)] == [None]


async def test_forgetting_drops_what_has_failed_and_is_older(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    outbox = await begin(driver.store, HERE)
    await driver.send(ada, "bob", "failed", "waits")
    first, second = await due(driver.store)
    await outbox.settle(sent=[], again=[], failed=[first.number])

    await driver.store.forget(key(0, at_ms=NOW_MS))
    kept = outbox.failed
    await driver.store.forget(key(0, at_ms=NOW_MS + 1))

    assert (kept, outbox.failed) == (1, 0)
    assert [it.number for it in await due(driver.store)] == [second.number]


async def test_many_are_read_some_at_a_time_the_first_due_first(
    driver: StoreDriver,
) -> None:
    ada, _ = await two_people(driver)
    await begin(driver.store, HERE)
    await driver.send(ada, "bob", *map(str, range(25)))

    page = await due(driver.store, limit=3)

    assert [it.position for it in page] == [1, 2, 3]


async def test_webhooks_are_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with open_store(url) as store:
        driver = StoreDriver(store)
        ada, _ = await two_people(driver)
        outbox = await begin(store, HERE, with_body=True)
        await driver.send(ada, "bob", "one", "two")
        first, _ = await due(store)
        await outbox.settle(sent=[], again=[Retry(first.number, NOW_MS)], failed=[])
        before = await due(store)

    async with open_store(url) as store:
        outbox = outbox_of(store)
        counts = outbox.waiting, outbox.failed
        after = await due(store)

    assert (after, counts) == (before, (2, 0))
