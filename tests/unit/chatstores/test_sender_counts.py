"""Who may still send to a crowded mailbox, in each store (B6)."""

import pytest

from chatcore.ids import Epoch
from chatcore.store import Declined, MailboxRoom, Stored
from tests.unit.chatstores.store_driver import (
    Person,
    StoreDriver,
    key,
    letter,
    positions,
)

ROOM = MailboxRoom(full=8, crowded=6, share=2)
BODIES = "abcdefghij"


@pytest.fixture
async def ada(driver: StoreDriver) -> Person:
    return await driver.register("ada")


@pytest.fixture
async def bob(driver: StoreDriver) -> Person:
    return await driver.register("bob")


@pytest.fixture
async def carol(driver: StoreDriver) -> Person:
    return await driver.register("carol")


@pytest.mark.rule("B6")
async def test_one_sender_does_not_shut_the_others_out(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    from_ada = await driver.send(ada, "bob", *BODIES, room=ROOM)

    from_carol = await driver.send(carol, "bob", "hi", "hello", "well", room=ROOM)

    assert positions(from_ada) == [1, 2, 3, 4, 5, 6]
    assert from_ada[6:] == [Declined.MAILBOX_SHARE] * 4
    assert positions(from_carol) == [7, 8]
    assert from_carol[2:] == [Declined.MAILBOX_FULL]
    assert await driver.queued(bob) == 8


@pytest.mark.rule("B6", "E2")
async def test_what_is_over_a_share_changes_nothing(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", *BODIES, room=ROOM)

    over = await driver.send(ada, "bob", "more", under=key(1), room=ROOM)

    assert over == [Declined.MAILBOX_SHARE]
    assert positions(await driver.send(carol, "bob", "hi", room=ROOM)) == [7]
    other_body = await driver.send(ada, "bob", "other", under=key(1))
    assert [it.new for it in other_body if isinstance(it, Stored)] == [True]
    assert len(await driver.bodies(bob)) == 8


@pytest.mark.rule("B6", "M2")
async def test_a_repeat_is_known_also_over_the_share(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", "first", under=key(1), room=ROOM)
    await driver.send(ada, "bob", *BODIES, room=ROOM)

    again = await driver.send(ada, "bob", "first", under=key(1), room=ROOM)

    assert positions(again) == [1]
    assert [it.new for it in again if isinstance(it, Stored)] == [False]
    assert await driver.queued(bob) == 6


@pytest.mark.rule("B6", "M4")
async def test_each_acknowledged_message_makes_room_for_its_sender(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    for sender in (ada, ada, carol, carol, carol, ada):
        await driver.send(sender, "bob", "x", room=ROOM)
    assert await driver.send(ada, "bob", "x", room=ROOM) == [Declined.MAILBOX_SHARE]

    room = ROOM._replace(crowded=4)
    driver.acknowledge(bob, 2)  # both from ada
    from_ada = await driver.send(ada, "bob", "x", "x", room=room)
    from_carol = await driver.send(carol, "bob", "x", room=room)
    driver.acknowledge(bob, 4)
    later = await driver.send(carol, "bob", "x", "x", room=room._replace(crowded=3))

    assert positions(from_ada[:1]) == [7]
    assert from_ada[1:] == from_carol == [Declined.MAILBOX_SHARE]
    assert positions(later[:1]) == [8]
    assert later[1:] == [Declined.MAILBOX_SHARE]


@pytest.mark.rule("B6")
async def test_below_the_last_quarter_nobody_is_counted(
    driver: StoreDriver, ada: Person, bob: Person
) -> None:
    await driver.send(ada, "bob", *BODIES, room=ROOM)

    driver.acknowledge(bob, 5)

    assert positions(await driver.send(ada, "bob", *BODIES, room=ROOM)) == [
        7,
        8,
        9,
        10,
        11,
    ]


@pytest.mark.rule("B6", "D4")
async def test_bounces_do_not_crowd_a_mailbox(
    driver: StoreDriver, ada: Person, bob: Person, carol: Person
) -> None:
    await driver.send(bob, "carol", *BODIES)
    await driver.delete(carol)
    await driver.finish(carol.id, bounce_messages=1)
    assert await driver.queued(bob) == len(BODIES)

    sent = await driver.send(ada, "bob", *BODIES, room=ROOM)
    driver.acknowledge(bob, 11)  # all of the bounces, and one message
    later = await driver.send(ada, "bob", "x", "x", room=ROOM)

    assert len(positions(sent)) == 6
    assert positions(later[:1]) == [17]
    assert later[1:] == [Declined.MAILBOX_SHARE]


@pytest.mark.rule("B6", "D3")
@pytest.mark.usefixtures("bob")
async def test_what_was_retracted_crowds_a_mailbox_no_more(
    driver: StoreDriver, ada: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", "x", "x", "x")
    await driver.send(carol, "bob", "x", "x", "x")
    assert await driver.send(ada, "bob", "x", room=ROOM) == [Declined.MAILBOX_SHARE]

    await driver.delete(carol, retract=True)

    sent = await driver.send(ada, "bob", *BODIES, room=ROOM)
    await driver.finish(carol.id)
    assert positions(sent[:3]) == [7, 8, 9]
    assert sent[3:] == [Declined.MAILBOX_SHARE] * 7
    assert await driver.send(ada, "bob", "x", room=ROOM) == [Declined.MAILBOX_SHARE]


@pytest.mark.rule("B6", "A5")
@pytest.mark.usefixtures("bob")
async def test_a_share_is_an_accounts_and_not_a_names(
    driver: StoreDriver, ada: Person
) -> None:
    await driver.send(ada, "bob", *BODIES, room=ROOM)
    await driver.erase(ada)

    again = await driver.register("ada")

    assert positions(await driver.send(again, "bob", "x", "x", room=ROOM)) == [7, 8]


@pytest.mark.rule("B6")
@pytest.mark.usefixtures("bob")
async def test_a_full_mailbox_says_so_to_everybody(
    driver: StoreDriver, ada: Person, carol: Person
) -> None:
    await driver.send(ada, "bob", *BODIES[:8])

    assert await driver.send(ada, "bob", "x", room=ROOM) == [Declined.MAILBOX_FULL]
    assert await driver.send(carol, "bob", "x", room=ROOM) == [Declined.MAILBOX_FULL]


@pytest.mark.rule("B7", "M2")
@pytest.mark.usefixtures("bob")
async def test_a_key_from_the_future_is_refused_when_it_is_unknown(
    driver: StoreDriver, ada: Person
) -> None:
    await driver.send(ada, "bob", "known", under=key(7))

    results = [
        *await driver.send(ada, "bob", "known", under=key(7), newest=key(5)),
        *await driver.send(ada, "bob", "other", under=key(7), newest=key(5)),
        *await driver.send(ada, "bob", "new", under=key(6), newest=key(5)),
        *await driver.send(ada, "nobody", "new", under=key(6), newest=key(5)),
        *await driver.send(ada, "bob", "new", under=key(5), newest=key(5)),
    ]

    assert positions(results[:1]) == [1]
    assert results[1:4] == [
        Declined.OTHER_BODY,
        Declined.KEY_AHEAD,
        Declined.KEY_AHEAD,
    ]
    assert positions(results[4:]) == [2]


@pytest.mark.rule("B6")
@pytest.mark.usefixtures("bob")
async def test_reasons_to_decline_come_before_the_share(
    driver: StoreDriver, ada: Person
) -> None:
    await driver.send(ada, "bob", *BODIES, room=ROOM)
    stranger = Person(ada.id, ada.name, Epoch(99))

    results = await driver.deposit(
        letter(stranger, "bob", "x"),
        letter(ada, "bob", "x", under=key(1)),
        letter(ada, "bob", "x", under=key(9)),
        letter(ada, "bob", "x", under=key(4)),
        room=ROOM,
        oldest=key(3),
        newest=key(5),
    )

    assert results == [
        Declined.FENCED,
        Declined.KEY_EXPIRED,
        Declined.KEY_AHEAD,
        Declined.MAILBOX_SHARE,
    ]
