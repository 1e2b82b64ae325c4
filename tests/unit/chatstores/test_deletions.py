"""Deciding deletions and working them off, in each store."""

import pytest

from chatcore.ids import PasswordHash, Position
from chatcore.model import Bounce, DeletionReceipt, FirstUse, NewMail
from chatcore.store import Declined
from chatcore.surveys import Survey
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    Step,
    StoreDriver,
    key,
    positions,
)


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


@pytest.fixture
async def carol(driver: StoreDriver) -> Person:
    return await driver.register("carol")


@pytest.mark.rule("D5")
async def test_a_survey_counts_what_a_deletion_would_touch(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    gone = await driver.register("gone")
    await driver.send(gone, "ada", "from a deleted one")
    await driver.erase(gone)
    await driver.send(bob, "ada", "1", "2", "3")
    await driver.send(carol, "ada", "4")
    await driver.send(ada, "ada", "to oneself")
    await driver.send(ada, "bob", "5", "6")
    await driver.send(ada, "carol", "7")

    survey = await driver.survey(ada.id, bounce_messages=2)

    assert survey == Survey(
        inbox_messages=6,
        bounces=3,
        outbox_messages=3,
    )
    assert await driver.queued(ada) == 6


@pytest.mark.rule("D4", "D5")
async def test_bounces_are_neither_surveyed_nor_discarded(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "hi")
    await driver.erase(bob)
    assert await driver.bounces(ada) == [(1,)]

    survey = await driver.survey(ada.id, bounce_messages=2)
    done = await driver.erase(ada)

    assert survey.inbox_messages == survey.bounces == 0
    assert done.receipt == DeletionReceipt()


async def test_a_survey_of_an_account_that_is_gone_is_empty(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "hi")
    await driver.send(bob, "ada", "ho")
    await driver.delete(ada)

    survey = await driver.survey(ada.id, bounce_messages=2)

    assert survey == Survey(
        inbox_messages=0,
        bounces=0,
        outbox_messages=0,
    )


@pytest.mark.rule("D2")
@pytest.mark.parametrize("waiting", ["message", "bounce"])
async def test_without_discard_mail_that_waits_keeps_the_account(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person, waiting: str
) -> None:
    if waiting == "message":
        await driver.send(bob, "ada", "hi")
    else:
        await driver.send(ada, "carol", "hi")
        await driver.erase(carol)

    refused = await driver.delete(ada, discard=False, under=key(1))

    assert not refused
    assert await driver.store.first_use(key(1)) is None
    assert await driver.queued(ada) == 1
    driver.acknowledge(ada, 1)
    assert await driver.delete(ada, discard=False, delivered=1, under=key(1))
    done = await driver.finish(ada.id)
    assert done.receipt == DeletionReceipt(delivered=1)


@pytest.mark.rule("D1")
async def test_the_decision_frees_the_name_and_ends_the_session(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    assert await driver.delete(ada)

    assert await driver.send(ada, "bob", "hi") == [Declined.FENCED]
    assert await driver.store.sessions() != []
    assert ada.id not in [it.account for it in await driver.store.sessions()]
    assert not await driver.delete(ada)
    assert (await driver.register("ada")).id not in {ada.id, bob.id}


@pytest.mark.rule("D4", "D5")
async def test_the_senders_of_discarded_messages_get_bounces(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(bob, "ada", "1", "2")
    await driver.send(carol, "ada", "3")
    await driver.send(bob, "ada", "4")
    await driver.send(ada, "ada", "to oneself")
    await driver.delete(ada)

    done = await driver.finish(ada.id)

    assert done == Step(
        DeletionReceipt(discarded=5, bounces=2),
        finished=True,
        bounces=(NewMail(bob.id, Position(1)), NewMail(carol.id, Position(1))),
    )
    assert list(await driver.read(bob)) == [
        Bounce(Position(1), ada.name, ada.id, (Position(1), Position(2), Position(4)),
               NOW_MS)
    ]  # fmt: skip
    assert await driver.bounces(carol) == [(3,)]


@pytest.mark.rule("D4")
async def test_a_bounce_is_put_into_a_full_mailbox_and_not_counted(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "one")
    await driver.send(ada, "bob", "two")
    assert await driver.send(ada, "bob", "x", room=1) == [Declined.MAILBOX_FULL]

    await driver.erase(ada)

    assert await driver.bounces(bob) == [(1,)]
    assert await driver.queued(bob) == 2
    assert positions(await driver.send(bob, "bob", "three", room=2)) == [3]
    assert await driver.send(bob, "bob", "four", room=2) == [Declined.MAILBOX_FULL]


@pytest.mark.rule("D4")
async def test_bounces_are_acknowledged_like_messages(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "one")
    await driver.erase(ada)
    await driver.send(bob, "bob", "two", "three")

    driver.acknowledge(bob, 2)

    assert await driver.queued(bob) == 1
    assert await driver.bodies(bob) == ["three"]


@pytest.mark.rule("D4", "D5")
async def test_a_bounce_names_so_many_messages_and_a_step_takes_so_many(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    for _ in range(5):
        await driver.send(bob, "ada", "b")
        await driver.send(carol, "ada", "c")
    survey = await driver.survey(ada.id, bounce_messages=2)
    await driver.delete(ada)
    steps: list[Step] = []

    while not steps or not steps[-1].finished:
        steps.append(await driver.clean_up(ada.id, rows=4, bounce_messages=2))

    discarded = [step.receipt.discarded for step in steps]
    taken = [
        now - before for before, now in zip([0, *discarded], discarded, strict=False)
    ]
    assert max(taken) <= 4
    assert steps[-1].receipt == DeletionReceipt(discarded=10, bounces=6)
    assert survey.bounces == 6
    assert await driver.bounces(bob) == [(1, 3), (5, 7), (9,)]
    assert await driver.bounces(carol) == [(2, 4), (6, 8), (10,)]


@pytest.mark.rule("D5")
async def test_repeating_a_finished_clean_up_changes_nothing(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "one")
    done = await driver.erase(ada)

    again = await driver.clean_up(ada.id)

    assert again == Step(done.receipt, finished=True)
    assert await driver.bounces(bob) == [(1,)]


async def test_there_is_nothing_to_clean_up_for_an_account_that_lives(
    driver: StoreDriver, ada: Person
) -> None:
    done = await driver.clean_up(ada.id)

    assert done == Step(DeletionReceipt(), finished=True)
    assert await driver.store.find_account(ada.name) is not None


@pytest.mark.rule("D5")
async def test_deletions_are_pending_until_they_are_worked_off(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.delete(bob)
    await driver.delete(ada)
    assert list(await driver.store.pending_deletions()) == [bob.id, ada.id]

    await driver.finish(bob.id)

    assert list(await driver.store.pending_deletions()) == [ada.id]


@pytest.mark.rule("D3")
async def test_what_was_sent_is_kept_and_counted(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", "1", "2")
    await driver.send(ada, "carol", "3")
    await driver.send(ada, "ada", "4")
    driver.acknowledge(bob, 1)

    done = await driver.erase(ada)

    assert done.receipt == DeletionReceipt(discarded=1, kept=2)
    assert await driver.bodies(bob) == ["2"]
    assert await driver.bodies(carol) == ["3"]


@pytest.mark.rule("D3", "D5")
async def test_what_is_retracted_is_not_read_nor_counted_from_the_decision_on(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", "1", "2")
    await driver.send(carol, "bob", "3")
    await driver.send(ada, "bob", "4")
    driver.acknowledge(bob, 1)

    await driver.delete(ada, retract=True)

    mailbox = await driver.store.mailbox(bob.id)
    assert (mailbox.queued, mailbox.head) == (1, 4)
    assert await driver.bodies(bob) == ["3"]
    assert (await driver.survey(bob.id, bounce_messages=9)).inbox_messages == 1
    results = await driver.send(carol, "bob", "5", "6", room=2)
    assert positions(results) == [5]
    assert results[1] is Declined.MAILBOX_FULL
    done = await driver.finish(ada.id)
    assert done.receipt == DeletionReceipt(retracted=2)
    assert await driver.bodies(bob) == ["3", "5"]


@pytest.mark.rule("D3")
async def test_without_discard_only_what_is_visible_keeps_the_account(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "retracted")
    await driver.delete(bob, retract=True)

    assert await driver.delete(ada, discard=False)

    assert (await driver.finish(ada.id)).receipt == DeletionReceipt()
    assert (await driver.finish(bob.id)).receipt == DeletionReceipt(retracted=1)


@pytest.mark.rule("D5")
async def test_a_retraction_takes_out_so_many_messages_at_a_step(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, bob.name, *"12345")
    await driver.delete(ada, retract=True)

    first = await driver.clean_up(ada.id, rows=2)

    assert first.receipt.retracted == 2
    assert not first.finished
    done = await driver.finish(ada.id, rows=2)
    assert done.receipt == DeletionReceipt(retracted=5)


@pytest.mark.rule("D5")
@pytest.mark.parametrize("retract", [True, False])
async def test_what_is_acknowledged_after_the_decision_is_counted_as_at_it(
    driver: StoreDriver,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
) -> None:
    await driver.send(ada, "bob", "1", "2", "3")
    await driver.delete(ada, retract=retract)
    await driver.clean_up(ada.id, rows=1)

    driver.acknowledge(bob, 3)

    done = await driver.finish(ada.id)
    assert done.receipt.kept + done.receipt.retracted == 3


@pytest.mark.rule("D5")
@pytest.mark.parametrize("retract", [True, False])
async def test_messages_count_for_the_first_deletion_that_took_them(
    driver: StoreDriver,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
) -> None:
    await driver.send(ada, "bob", "1", "2")

    await driver.delete(bob)
    await driver.delete(ada, retract=retract)

    assert (await driver.finish(ada.id)).receipt == DeletionReceipt()
    assert (await driver.finish(bob.id)).receipt == DeletionReceipt(discarded=2)


@pytest.mark.rule("D5")
@pytest.mark.parametrize(
    ("retract", "by_ada", "by_bob"),
    [
        (True, DeletionReceipt(retracted=2), DeletionReceipt()),
        (False, DeletionReceipt(kept=2), DeletionReceipt(discarded=2)),
    ],
)
async def test_a_discard_after_the_sender_is_gone_leaves_its_receipt_alone(
    driver: StoreDriver,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
    by_ada: DeletionReceipt,
    by_bob: DeletionReceipt,
) -> None:
    await driver.send(ada, "bob", "1", "2")

    await driver.delete(ada, retract=retract)
    await driver.delete(bob)

    assert (await driver.finish(bob.id)).receipt == by_bob
    assert (await driver.finish(ada.id)).receipt == by_ada


@pytest.mark.rule("A5", "D4")
async def test_nobody_gets_a_bounce_for_one_that_is_gone(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "1")
    await driver.erase(bob)
    again = await driver.register("bob")

    done = await driver.erase(ada)

    assert done.receipt == DeletionReceipt(discarded=1)
    assert done.bounces == ()
    assert await driver.queued(again) == 0


@pytest.mark.rule("D6")
async def test_a_deletion_is_known_by_its_key_and_its_receipt_stays(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "1", "2")
    await driver.delete(ada, delivered=7, under=key(1))

    before = await driver.store.first_use(key(1))
    done = await driver.finish(ada.id)
    after = await driver.store.first_use(key(1))

    assert (
        before
        == after
        == FirstUse(ada.id, ada.name, PasswordHash("hash of ada"), is_deletion=True)
    )
    assert (await driver.clean_up(ada.id)).receipt == done.receipt
    assert done.receipt == DeletionReceipt(delivered=7, discarded=2, bounces=1)
