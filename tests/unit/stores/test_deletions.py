"""Deciding deletions and working them off, in each store."""

import pytest

from chatcore.ids import PasswordHash, Position
from chatcore.model import (
    Bounce,
    CleanUp,
    DeletionReceipt,
    Delivery,
    Survey,
)
from chatcore.store import Declined
from tests.unit.stores.desk import NOW_MS, Desk, Person, key, positions


@pytest.fixture
async def ada(desk: Desk) -> Person:
    return await desk.register("ada")


@pytest.fixture
async def bob(desk: Desk) -> Person:
    return await desk.register("bob")


@pytest.fixture
async def carol(desk: Desk) -> Person:
    return await desk.register("carol")


@pytest.mark.rule("D5")
async def test_a_survey_counts_what_a_deletion_would_touch(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    gone = await desk.register("gone")
    await desk.send(gone, "ada", "from a deleted one")
    await desk.erase(gone)
    await desk.send(bob, "ada", "1", "2", "3")
    await desk.send(carol, "ada", "4")
    await desk.send(ada, "ada", "to oneself")
    await desk.send(ada, "bob", "5", "6")
    await desk.send(ada, "carol", "7")

    survey = await desk.store.survey(ada.id, bounce_messages=2)

    assert survey == Survey(
        inbox_messages=6,
        inbox_senders=4,
        bounces=3,
        outbox_messages=3,
        outbox_recipients=2,
    )
    assert await desk.queued(ada) == 6


@pytest.mark.rule("D4", "D5")
async def test_bounces_are_neither_surveyed_nor_discarded(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(ada, "bob", "hi")
    await desk.erase(bob)
    assert await desk.bounces(ada) == [(1,)]

    survey = await desk.store.survey(ada.id, bounce_messages=2)
    done = await desk.erase(ada)

    assert survey.inbox_messages == survey.inbox_senders == survey.bounces == 0
    assert done.receipt == DeletionReceipt()


async def test_a_survey_of_an_account_that_is_gone_is_empty(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(ada, "bob", "hi")
    await desk.send(bob, "ada", "ho")
    await desk.delete(ada)

    survey = await desk.store.survey(ada.id, bounce_messages=2)

    assert survey == Survey(
        inbox_messages=0,
        inbox_senders=0,
        bounces=0,
        outbox_messages=0,
        outbox_recipients=0,
    )


@pytest.mark.rule("D2")
async def test_a_closing_mailbox_declines_until_it_is_opened(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.store.close_mailbox(bob.id)
    assert await desk.send(ada, "bob", "one") == [Declined.MAILBOX_CLOSING]

    await desk.store.open_mailbox(bob.id)

    assert positions(await desk.send(ada, "bob", "two")) == [1]


@pytest.mark.rule("D2")
async def test_a_closing_mailbox_that_is_gone_is_no_account(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.store.close_mailbox(bob.id)

    await desk.delete(bob)

    assert await desk.send(ada, "bob", "one") == [Declined.NO_SUCH_ACCOUNT]
    await desk.store.close_mailbox(bob.id)
    await desk.store.open_mailbox(bob.id)


@pytest.mark.rule("D2")
@pytest.mark.parametrize("waiting", ["message", "bounce"])
async def test_without_discard_mail_that_waits_keeps_the_account(
    desk: Desk, ada: Person, bob: Person, carol: Person, waiting: str
) -> None:
    if waiting == "message":
        await desk.send(bob, "ada", "hi")
    else:
        await desk.send(ada, "carol", "hi")
        await desk.erase(carol)

    refused = await desk.delete(ada, discard=False, under=key(1))

    assert not refused
    assert await desk.store.first_answer(key(1)) is None
    assert await desk.queued(ada) == 1
    desk.acknowledge(ada, 1)
    assert await desk.delete(ada, discard=False, delivered=1, under=key(1))
    done = await desk.finish(ada.id)
    assert done.receipt == DeletionReceipt(delivered=1)


@pytest.mark.rule("D1")
async def test_the_decision_frees_the_name_and_ends_the_session(
    desk: Desk, ada: Person, bob: Person
) -> None:
    assert await desk.delete(ada)

    assert await desk.send(ada, "bob", "hi") == [Declined.FENCED]
    assert await desk.store.sessions() != []
    assert ada.id not in [it.account for it in await desk.store.sessions()]
    assert not await desk.delete(ada)
    assert (await desk.register("ada")).id not in {ada.id, bob.id}


@pytest.mark.rule("D4", "D5")
async def test_the_senders_of_discarded_messages_get_bounces(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    await desk.send(bob, "ada", "1", "2")
    await desk.send(carol, "ada", "3")
    await desk.send(bob, "ada", "4")
    await desk.send(ada, "ada", "to oneself")
    await desk.delete(ada)

    done = await desk.finish(ada.id)

    assert done == CleanUp(
        account=ada.id,
        receipt=DeletionReceipt(discarded=5, bounces=2),
        finished=True,
        deliveries=(
            Delivery(account=bob.id, head=Position(1)),
            Delivery(account=carol.id, head=Position(1)),
        ),
    )
    assert list(await desk.read(bob)) == [
        Bounce(Position(1), ada.name, ada.id, (Position(1), Position(2), Position(4)),
               NOW_MS)
    ]  # fmt: skip
    assert await desk.bounces(carol) == [(3,)]


@pytest.mark.rule("D4")
async def test_a_bounce_is_put_into_a_full_or_closing_mailbox_and_not_counted(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "one")
    await desk.send(ada, "bob", "two")
    await desk.store.close_mailbox(bob.id)

    await desk.erase(ada)

    await desk.store.open_mailbox(bob.id)
    assert await desk.bounces(bob) == [(1,)]
    assert await desk.queued(bob) == 2
    assert positions(await desk.send(bob, "bob", "three", room=2)) == [3]
    assert await desk.send(bob, "bob", "four", room=2) == [Declined.MAILBOX_FULL]


@pytest.mark.rule("D4")
async def test_bounces_are_acknowledged_like_messages(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "one")
    await desk.erase(ada)
    await desk.send(bob, "bob", "two", "three")

    desk.acknowledge(bob, 2)

    assert await desk.queued(bob) == 1
    assert await desk.bodies(bob) == ["three"]


@pytest.mark.rule("D4", "D5")
async def test_a_bounce_names_so_many_messages_and_a_step_takes_so_many(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    for _ in range(5):
        await desk.send(bob, "ada", "b")
        await desk.send(carol, "ada", "c")
    survey = await desk.store.survey(ada.id, bounce_messages=2)
    await desk.delete(ada)
    steps: list[CleanUp] = []

    while not steps or not steps[-1].finished:
        steps.append(await desk.clean_up(ada.id, rows=4, bounce_messages=2))

    discarded = [step.receipt.discarded for step in steps]
    taken = [
        now - before for before, now in zip([0, *discarded], discarded, strict=False)
    ]
    assert max(taken) <= 4
    assert steps[-1].receipt == DeletionReceipt(discarded=10, bounces=6)
    assert survey.bounces == 6
    assert await desk.bounces(bob) == [(1, 3), (5, 7), (9,)]
    assert await desk.bounces(carol) == [(2, 4), (6, 8), (10,)]


@pytest.mark.rule("D5")
async def test_repeating_a_finished_clean_up_changes_nothing(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "one")
    done = await desk.erase(ada)

    again = await desk.clean_up(ada.id)

    assert again == CleanUp(account=ada.id, receipt=done.receipt, finished=True)
    assert await desk.bounces(bob) == [(1,)]


async def test_there_is_nothing_to_clean_up_for_an_account_that_lives(
    desk: Desk, ada: Person
) -> None:
    done = await desk.clean_up(ada.id)

    assert done == CleanUp(account=ada.id, receipt=DeletionReceipt(), finished=True)
    assert await desk.store.find_account(ada.name) is not None


@pytest.mark.rule("D5")
async def test_deletions_are_pending_until_they_are_worked_off(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.delete(bob)
    await desk.delete(ada)
    assert list(await desk.store.pending_deletions()) == [bob.id, ada.id]

    await desk.finish(bob.id)

    assert list(await desk.store.pending_deletions()) == [ada.id]


@pytest.mark.rule("D3")
async def test_what_was_sent_is_kept_and_counted(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    await desk.send(ada, "bob", "1", "2")
    await desk.send(ada, "carol", "3")
    await desk.send(ada, "ada", "4")
    desk.acknowledge(bob, 1)

    done = await desk.erase(ada)

    assert done.receipt == DeletionReceipt(discarded=1, kept=2)
    assert await desk.bodies(bob) == ["2"]
    assert await desk.bodies(carol) == ["3"]


@pytest.mark.rule("D3", "D5")
async def test_what_is_retracted_is_not_read_nor_counted_from_the_decision_on(
    desk: Desk, ada: Person, bob: Person, carol: Person
) -> None:
    await desk.send(ada, "bob", "1", "2")
    await desk.send(carol, "bob", "3")
    await desk.send(ada, "bob", "4")
    desk.acknowledge(bob, 1)

    await desk.delete(ada, retract=True)

    mailbox = await desk.store.mailbox(bob.id)
    assert (mailbox.queued, mailbox.head) == (1, 4)
    assert await desk.bodies(bob) == ["3"]
    assert (await desk.store.survey(bob.id, bounce_messages=9)).inbox_messages == 1
    results = await desk.send(carol, "bob", "5", "6", room=2)
    assert positions(results) == [5]
    assert results[1] is Declined.MAILBOX_FULL
    done = await desk.finish(ada.id)
    assert done.receipt == DeletionReceipt(retracted=2)
    assert await desk.bodies(bob) == ["3", "5"]


@pytest.mark.rule("D3")
async def test_without_discard_only_what_is_visible_keeps_the_account(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "retracted")
    await desk.delete(bob, retract=True)

    assert await desk.delete(ada, discard=False)

    assert (await desk.finish(ada.id)).receipt == DeletionReceipt()
    assert (await desk.finish(bob.id)).receipt == DeletionReceipt(retracted=1)


@pytest.mark.rule("D5")
async def test_a_retraction_takes_out_so_many_messages_at_a_step(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(ada, bob.name, *"12345")
    await desk.delete(ada, retract=True)

    first = await desk.clean_up(ada.id, rows=2)

    assert first.receipt.retracted == 2
    assert not first.finished
    done = await desk.finish(ada.id, rows=2)
    assert done.receipt == DeletionReceipt(retracted=5)


@pytest.mark.rule("D5")
@pytest.mark.parametrize("retract", [True, False])
async def test_what_is_acknowledged_after_the_decision_is_counted_as_at_it(
    desk: Desk,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
) -> None:
    await desk.send(ada, "bob", "1", "2", "3")
    await desk.delete(ada, retract=retract)
    await desk.clean_up(ada.id, rows=1)

    desk.acknowledge(bob, 3)

    done = await desk.finish(ada.id)
    assert done.receipt.kept + done.receipt.retracted == 3


@pytest.mark.rule("D5")
@pytest.mark.parametrize("retract", [True, False])
async def test_messages_count_for_the_first_deletion_that_took_them(
    desk: Desk,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
) -> None:
    await desk.send(ada, "bob", "1", "2")

    await desk.delete(bob)
    await desk.delete(ada, retract=retract)

    assert (await desk.finish(ada.id)).receipt == DeletionReceipt()
    assert (await desk.finish(bob.id)).receipt == DeletionReceipt(discarded=2)


@pytest.mark.rule("D5")
@pytest.mark.parametrize(
    ("retract", "by_ada", "by_bob"),
    [
        (True, DeletionReceipt(retracted=2), DeletionReceipt()),
        (False, DeletionReceipt(kept=2), DeletionReceipt(discarded=2)),
    ],
)
async def test_a_discard_after_the_sender_is_gone_leaves_its_receipt_alone(
    desk: Desk,
    ada: Person,
    bob: Person,
    retract: bool,  # noqa: FBT001
    by_ada: DeletionReceipt,
    by_bob: DeletionReceipt,
) -> None:
    await desk.send(ada, "bob", "1", "2")

    await desk.delete(ada, retract=retract)
    await desk.delete(bob)

    assert (await desk.finish(bob.id)).receipt == by_bob
    assert (await desk.finish(ada.id)).receipt == by_ada


@pytest.mark.rule("A5", "D4")
async def test_nobody_gets_a_bounce_for_one_that_is_gone(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "1")
    await desk.erase(bob)
    again = await desk.register("bob")

    done = await desk.erase(ada)

    assert done.receipt == DeletionReceipt(discarded=1)
    assert done.deliveries == ()
    assert await desk.queued(again) == 0


@pytest.mark.rule("D6")
async def test_the_first_answer_follows_the_clean_up(
    desk: Desk, ada: Person, bob: Person
) -> None:
    await desk.send(bob, "ada", "1", "2")
    await desk.delete(ada, delivered=7, under=key(1))

    before = await desk.store.first_answer(key(1))
    done = await desk.finish(ada.id)
    after = await desk.store.first_answer(key(1))

    assert before is not None
    assert after is not None
    assert (before.finished, after.finished) == (False, True)
    assert before.receipt == DeletionReceipt(delivered=7)
    assert after.receipt == done.receipt
    assert (after.account, after.username) == (ada.id, "ada")
    assert after.password_hash == PasswordHash("hash of ada")
