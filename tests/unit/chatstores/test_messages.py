"""Deposits, acknowledgements and reading, in each store."""

import asyncio

import pytest

from chatcore.ids import NO_KEY, Epoch, Position
from chatcore.model import Mailbox, Message
from chatcore.store import Declined, Stored
from tests.unit.chatstores.store_driver import (
    NOW_MS,
    Person,
    StoreDriver,
    key,
    letter,
    positions,
)

YESTERDAY_MS = NOW_MS - 24 * 60 * 60 * 1000


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


@pytest.mark.rule("M3")
async def test_positions_count_up_by_one_in_the_order_of_the_deposits(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    first = await driver.send(ada, "bob", "one", "two")

    second = await driver.send(bob, "bob", "to oneself")

    assert first == [
        Stored(bob.id, Position(1), NOW_MS, new=True),
        Stored(bob.id, Position(2), NOW_MS, new=True),
    ]
    assert positions(second) == [3]
    assert await driver.bodies(bob) == ["one", "two", "to oneself"]


@pytest.mark.rule("M3")
async def test_positions_are_not_used_again_after_an_acknowledgement(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one", "two")
    driver.acknowledge(bob, 2)

    again = await driver.send(ada, "bob", "three")

    assert positions(again) == [3]


@pytest.mark.rule("M3", "D3")
async def test_positions_are_not_used_again_after_a_retraction(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(bob, "ada", "one", "two")
    await driver.erase(bob, retract=True)

    carol = await driver.register("carol")

    assert positions(await driver.send(carol, "ada", "three")) == [3]
    assert (await driver.store.mailbox(ada.id)).head == 3


@pytest.mark.rule("M6")
async def test_an_unknown_recipient_is_refused(
    driver: StoreDriver, ada: Person
) -> None:
    assert await driver.send(ada, "nobody", "hi") == [Declined.NO_SUCH_ACCOUNT]


@pytest.mark.rule("M6")
async def test_a_full_mailbox_refuses_and_keeps_what_it_has(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    results = await driver.send(ada, "bob", "one", "two", "three", room=2)

    assert positions(results) == [1, 2]
    assert results[2] is Declined.MAILBOX_FULL
    assert await driver.bodies(bob) == ["one", "two"]


@pytest.mark.rule("M4", "M6")
async def test_an_acknowledgement_makes_room_at_once(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one", "two", room=2)

    driver.acknowledge(bob, 1)

    results = await driver.send(ada, "bob", "three", "four", room=2)
    assert positions(results) == [3]
    assert results[1] is Declined.MAILBOX_FULL


@pytest.mark.rule("M6")
async def test_any_character_comes_back_as_it_was_sent(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    body = "nul \0, é, \U0001f600, \ufeff, \r\n"

    await driver.send(ada, "bob", body)

    (message,) = await driver.read(bob)
    assert message == Message(
        Position(1),
        ada.name,
        ada.id,
        sender_deleted=False,
        body=body,
        body_bytes=len(body.encode()),
        sent_at_ms=NOW_MS,
    )


@pytest.mark.rule("M2")
async def test_a_repeat_gets_the_first_result_again(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    first = await driver.send(ada, "bob", "hi", under=key(1))

    again = await driver.send(ada, "bob", "hi", under=key(1))

    assert first == [Stored(bob.id, Position(1), NOW_MS, new=True)]
    assert again == [Stored(bob.id, Position(1), NOW_MS, new=False)]
    assert await driver.bodies(bob) == ["hi"]


@pytest.mark.rule("M2")
async def test_a_repeat_within_one_call_is_known(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    results = await driver.deposit(
        letter(ada, "bob", "hi", under=key(1)),
        letter(ada, "bob", "hi", under=key(1)),
        letter(ada, "bob", "ho", under=key(1)),
    )

    assert [isinstance(it, Stored) and it.new for it in results] == [True, False, False]
    assert results[2] is Declined.OTHER_BODY
    assert await driver.queued(bob) == 1


@pytest.mark.rule("M2")
async def test_another_body_under_the_same_key_is_refused(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "hi", under=key(1))

    other = await driver.send(ada, "bob", "ho", under=key(1))

    assert other == [Declined.OTHER_BODY]
    assert await driver.bodies(bob) == ["hi"]


@pytest.mark.rule("M2")
async def test_a_key_is_unique_for_a_sender_and_a_name(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "hi", under=key(1))

    to_another = await driver.send(ada, "ada", "hi", under=key(1))
    from_another = await driver.send(bob, "bob", "hi", under=key(1))

    assert positions(to_another) == [1]
    assert positions(from_another) == [2]


@pytest.mark.rule("M2")
@pytest.mark.parametrize("state", ["full", "without room", "gone", "created again"])
async def test_a_repeat_is_known_whatever_became_of_the_mailbox(
    driver: StoreDriver, ada: Person, bob: Person, state: str
) -> None:
    first = positions(await driver.send(ada, "bob", "hi", under=key(1)))
    match state:
        case "gone":
            await driver.erase(bob)
        case "created again":
            await driver.erase(bob)
            await driver.register("bob")
        case _:
            pass

    room = 0 if state == "without room" else 1
    again = await driver.send(ada, "bob", "hi", under=key(1), room=room)

    assert again == [Stored(bob.id, Position(first[0]), NOW_MS, new=False)]


@pytest.mark.rule("M2")
async def test_an_old_key_is_refused_when_it_is_unknown_and_answered_when_known(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    old, older = key(2, at_ms=YESTERDAY_MS), key(1, at_ms=YESTERDAY_MS)
    await driver.send(ada, "bob", "hi", under=old)

    known = await driver.send(ada, "bob", "hi", under=old, oldest=key(0))
    unknown = await driver.send(ada, "bob", "hi", under=older, oldest=key(0))

    assert positions(known) == [1]
    assert unknown == [Declined.KEY_EXPIRED]
    assert await driver.queued(bob) == 1


@pytest.mark.rule("M2")
async def test_a_key_below_the_highest_of_its_pair_is_looked_up_and_stored(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "late", under=key(9))

    early = await driver.send(ada, "bob", "early", under=key(3))

    assert positions(early) == [2]
    again = await driver.send(ada, "bob", "early", under=key(3))
    assert again == [Stored(bob.id, Position(2), NOW_MS, new=False)]


@pytest.mark.usefixtures("bob")
async def test_the_first_reason_to_decline_is_the_one_that_is_told(
    driver: StoreDriver, ada: Person
) -> None:
    stranger = Person(ada.id, ada.name, Epoch(99))
    old = key(1, at_ms=YESTERDAY_MS)

    fenced = await driver.send(stranger, "bob", "hi", under=old, room=0, oldest=key(0))
    expired = await driver.send(ada, "nobody", "hi", under=old, room=0, oldest=key(0))
    unknown = await driver.send(ada, "nobody", "hi", room=0)
    full = await driver.send(ada, "bob", "hi", room=0)

    assert [*fenced, *expired, *unknown, *full] == [
        Declined.FENCED,
        Declined.KEY_EXPIRED,
        Declined.NO_SUCH_ACCOUNT,
        Declined.MAILBOX_FULL,
    ]


async def test_a_key_that_was_declined_is_not_kept(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "hi", under=key(1), room=0)

    accepted = await driver.send(ada, "bob", "other", under=key(1))

    assert accepted == [Stored(bob.id, Position(1), NOW_MS, new=True)]


async def test_each_deposit_of_a_call_is_judged_by_itself(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    results = await driver.deposit(
        letter(ada, "nobody", "one"),
        letter(ada, "bob", "two"),
        letter(Person(ada.id, ada.name, Epoch(99)), "bob", "three"),
        letter(bob, "ada", "four"),
    )

    assert results[0] is Declined.NO_SUCH_ACCOUNT
    assert results[2] is Declined.FENCED
    assert await driver.bodies(bob) == ["two"]
    assert await driver.bodies(ada) == ["four"]


async def test_no_deposits_have_no_results(driver: StoreDriver) -> None:
    assert await driver.deposit() == []


@pytest.mark.rule("M4")
async def test_mail_stays_until_it_is_acknowledged(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one", "two", "three")
    await driver.read(bob)
    assert await driver.bodies(bob) == ["one", "two", "three"]

    driver.acknowledge(bob, 2)

    assert await driver.bodies(bob) == ["three"]
    assert await driver.store.mailbox(bob.id) == Mailbox(
        acknowledged=Position(2), head=Position(3), queued=1
    )


@pytest.mark.rule("M4")
async def test_a_lower_acknowledgement_changes_nothing_and_is_not_told(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    told: list[str] = []
    await driver.send(ada, "bob", "one", "two")
    driver.store.acknowledge(bob.id, bob.epoch, Position(2), lambda: told.append("2"))

    driver.store.acknowledge(bob.id, bob.epoch, Position(1), lambda: told.append("1"))
    driver.store.acknowledge(bob.id, bob.epoch, Position(2), lambda: told.append("2!"))
    driver.store.acknowledge(bob.id, Epoch(9), Position(2), lambda: told.append("9"))
    await driver.store.flush()
    await asyncio.sleep(0)

    assert told == ["2"]
    assert (await driver.store.mailbox(bob.id)).acknowledged == 2


async def test_an_acknowledgement_above_the_head_is_one_of_the_head(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one")

    driver.acknowledge(bob, 7)

    assert (await driver.store.mailbox(bob.id)).acknowledged == 1
    assert positions(await driver.send(ada, "bob", "two")) == [2]
    assert await driver.bodies(bob) == ["two"]


@pytest.mark.rule("M4")
async def test_an_acknowledgement_is_committed_by_itself_within_a_second(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    loop = asyncio.get_running_loop()
    committed = asyncio.Event()
    await driver.send(ada, "bob", "one")
    started_s = loop.time()

    driver.store.acknowledge(bob.id, bob.epoch, Position(1), committed.set)
    assert not committed.is_set()  # not from within the call
    await committed.wait()

    assert loop.time() - started_s <= 1.0


async def test_committed_is_told_in_the_order_of_the_acknowledgements(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    told: list[int] = []
    await driver.send(ada, "bob", "one", "two", "three")

    for position in (1, 2, 3):
        driver.store.acknowledge(
            bob.id,
            bob.epoch,
            Position(position),
            lambda position=position: told.append(position),  # type: ignore[misc]
        )
    await driver.store.flush()
    await asyncio.sleep(0)

    assert told == [1, 2, 3]


async def test_a_page_ends_with_the_messages_or_bytes_asked_for(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "aaaa", "bb", "éé", "d")

    by_messages = await driver.read(bob, messages=2)
    by_bytes = await driver.read(bob, body_bytes=6)
    just_one = await driver.read(bob, body_bytes=1)
    onwards = await driver.read(bob, after=2, body_bytes=5)

    assert [it.position for it in by_messages] == [1, 2]
    assert [it.position for it in by_bytes] == [1, 2]
    assert [it.position for it in just_one] == [1]
    assert [it.position for it in onwards] == [3, 4]


async def test_there_is_nothing_to_read_above_the_head_or_without_an_account(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one")
    assert list(await driver.read(bob, after=1)) == []

    await driver.delete(bob)

    assert list(await driver.read(bob)) == []
    assert await driver.store.mailbox(bob.id) == Mailbox(
        acknowledged=Position(0), head=Position(0), queued=0
    )


@pytest.mark.rule("A5")
async def test_a_deleted_sender_is_marked_so_even_when_the_name_is_back(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "one")
    await driver.erase(ada)
    again = await driver.register("ada")
    await driver.send(again, "bob", "two")

    mail = await driver.read(bob)

    assert [
        (it.sender, it.sender_id, it.sender_deleted)
        for it in mail
        if isinstance(it, Message)
    ] == [("ada", ada.id, True), ("ada", again.id, False)]


async def test_a_large_call_is_stored_whole(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    bodies = [f"message {number}" for number in range(173)]

    await driver.deposit(
        *(
            letter(ada, "bob", body, under=key(number) if number % 3 else NO_KEY)
            for number, body in enumerate(bodies)
        )
    )

    assert await driver.bodies(bob) == bodies
