"""Deletions that the erasure log has and the store has not, in each store (D5)."""

import pytest

from chatcore.ids import NO_KEY, AccountId, IdempotencyKey
from chatcore.model import NO_MARK, DeletionReceipt, Erasure, LoggedErasure, LogMark
from tests.unit.chatstores.store_driver import NOW_MS, StoreDriver, key

pytestmark = pytest.mark.rule("D5")


def logged(
    number: int,
    account: int,
    *,
    discard: bool = True,
    retract: bool = False,
    under: IdempotencyKey = NO_KEY,
) -> LoggedErasure:
    erasure = Erasure(
        account=AccountId(account),
        discard=discard,
        retract=retract,
        key=under,
        at_ms=NOW_MS,
    )
    return LoggedErasure(LogMark(number, b"digest"), erasure)


async def test_a_deletion_leaves_its_mark_with_its_commit(driver: StoreDriver) -> None:
    ada = await driver.register("ada")
    await driver.send(ada, "ada", "waits")
    store = driver.store
    before = await store.log_mark()

    async def delete(number: int, *, discard: bool) -> bool:
        return await store.delete_account(
            ada.id,
            ada.epoch,
            discard=discard,
            retract=False,
            delivered=0,
            key=NO_KEY,
            at_ms=NOW_MS,
            mark=LogMark(number, b"digest"),
        )

    assert not await delete(3, discard=False)
    assert await store.log_mark() == before == NO_MARK
    assert await delete(4, discard=True)
    assert await store.log_mark() == LogMark(4, b"digest")


async def test_each_store_has_an_identity_of_its_own(driver: StoreDriver) -> None:
    identity = await driver.store.identity()

    assert len(identity) == 16
    assert await driver.store.identity() == identity


async def test_an_erased_account_is_gone_with_all_that_was_retracted(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(ada, "bob", "from ada")
    await driver.send(bob, "ada", "to ada")

    await driver.store.erase_again(logged(1, ada.id, retract=True, under=key(5)))

    assert await driver.store.find_account(ada.name) is None
    assert [it.account for it in await driver.store.sessions()] == [bob.id]
    assert await driver.bodies(bob) == []
    done = await driver.finish(ada.id)
    assert await driver.bounces(bob) == [(1,)]
    first = await driver.store.first_use(key(5))
    assert first is not None
    assert (first.account, first.is_deletion) == (ada.id, True)
    assert done.receipt == DeletionReceipt(discarded=1, bounces=1, retracted=1)


async def test_what_had_been_delivered_before_does_not_bounce(
    driver: StoreDriver,
) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(bob, "ada", "one", "two")
    await driver.send(ada, "bob", "kept")

    await driver.store.erase_again(logged(1, ada.id, discard=False, under=key(5)))

    done = await driver.finish(ada.id)
    assert done.receipt == DeletionReceipt(delivered=2, kept=1)
    assert await driver.bounces(bob) == []
    assert await driver.bodies(bob) == ["kept"]


async def test_repeating_it_changes_nothing(driver: StoreDriver) -> None:
    ada, bob = await driver.register("ada"), await driver.register("bob")
    await driver.send(bob, "ada", "to ada")
    await driver.store.erase_again(logged(1, ada.id))
    await driver.finish(ada.id)

    await driver.store.erase_again(logged(1, ada.id))

    assert await driver.store.pending_deletions() == []
    assert len(await driver.bounces(bob)) == 1
    assert await driver.store.log_mark() == LogMark(1, b"digest")


async def test_what_was_withdrawn_only_moves_the_mark(driver: StoreDriver) -> None:
    ada = await driver.register("ada")

    await driver.store.erase_again(LoggedErasure(LogMark(7, b"x"), None))

    assert await driver.store.log_mark() == LogMark(7, b"x")
    assert await driver.store.find_account(ada.name) is not None


@pytest.mark.rule("A5")
@pytest.mark.parametrize("before", [0, 1])
async def test_the_id_of_an_erased_account_is_never_anothers(
    driver: StoreDriver, before: int
) -> None:
    for number in range(before):
        await driver.register(f"before{number}")

    await driver.store.erase_again(logged(1, 9))

    assert (await driver.register("after")).id == 10
