"""Idempotency keys: the same request again is not a second one (M2)."""

import pytest

from chatcore import Limits
from chatcore.commands import InboxAction, Send
from chatcore.errors import (
    InvalidKey,
    KeyExpired,
    KeyReused,
)
from chatcore.events import Accepted
from chatcore.ids import IdempotencyKey
from chatcore.keys import key_from_ms
from tests.conformance.cells import Cell, each_cell, each_durable_store, each_wire
from tests.conformance.peers import PASSWORD
from tests.conformance.servers import serving

DAY_S = 24 * 60 * 60


@each_cell
@pytest.mark.rule("M2")
async def test_a_repeat_under_its_key_gets_the_first_receipt(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        key = server.make_key()

        first, again = [
            await peer.ask(Send("ada", "once", key), Accepted) for _ in range(2)
        ]

        assert (again.position, again.sent_at_ms) == (first.position, first.sent_at_ms)
        await peer.send("ada", "the next")
        assert [it.body for it in await peer.mail(2)] == ["once", "the next"]


@each_cell
@pytest.mark.rule("M2")
async def test_a_repeat_within_one_frame_is_stored_once(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        send = Send("ada", "once", server.make_key())

        ids = await peer.tell(send, send, send)

        receipts = [await peer.answer(it, Accepted) for it in ids]
        assert {it.position for it in receipts} == {1}
        await peer.send("ada", "the next")
        assert [it.body for it in await peer.mail(2)] == ["once", "the next"]


@each_cell
@pytest.mark.rule("M2", "E2")
async def test_a_key_is_not_taken_for_another_body(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        key = server.make_key()
        first = await ada.send("ada", "one", key=key)

        with pytest.raises(KeyReused):
            await ada.send("ada", "another", key=key)

        assert await ada.send("ada", "one", key=key) == first._replace(id=first.id + 2)


@each_cell
@pytest.mark.rule("M2")
async def test_a_key_is_another_one_with_another_recipient(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        bob = await ada.create("bob", PASSWORD)
        key = server.make_key()

        to_ada = await ada.send("ada", "to ada", key=key)
        to_bob = await ada.send("bob", "to bob", key=key)

        assert (to_ada.recipient_id, to_bob.recipient_id) == (ada.account, bob)


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M2")
async def test_a_key_holds_when_the_mailbox_is_full_and_when_it_is_gone(
    cell: Cell,
) -> None:
    limits = Limits(mailbox_messages=1)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        key = server.make_key()
        first = await ada.send("bob", "once", key=key)

        when_full = await ada.send("bob", "once", key=key)
        async with server.client() as bob:
            await bob.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)
        when_gone = await ada.send("bob", "once", key=key)

        assert first[1:] == when_full[1:] == when_gone[1:]


@each_durable_store
@pytest.mark.rule("M2")
async def test_a_key_holds_over_a_restart(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        key = server.make_key()
        first = await ada.send("ada", "once", key=key)

    async with serving(cell) as server, server.user("ada") as ada:
        again = await ada.send("ada", "once", key=key)

    assert first[1:] == again[1:]


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M2")
async def test_an_unknown_key_that_is_too_old_is_refused(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        old = IdempotencyKey(server.make_key(days=-8))

        with pytest.raises(KeyExpired) as refused:
            await ada.send("ada", "perhaps the second time", key=old)

        assert refused.value.fields == {"days": "7"}
        assert (await ada.send("ada", "the first")).position == 1


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M2")
async def test_a_key_that_was_forgotten_is_never_stored_again(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        key = server.make_key()
        first = await ada.send("ada", "once", key=key)
        server.clock.advance(6 * DAY_S)
        await server.chat.tick()
        within = await ada.send("ada", "once", key=key)
        server.clock.advance(2 * DAY_S)
        await server.chat.tick()

        with pytest.raises(KeyExpired):
            await ada.send("ada", "once", key=key)

        assert first[1:] == within[1:]


@each_wire
@pytest.mark.rule("M2")
@pytest.mark.parametrize(
    "key",
    [b"short", bytes(16), bytes(17), key_from_ms(2**47)[:6] + b"\x70" + bytes(9)],
    ids=["short", "version 0", "long", "in the future"],
)
async def test_a_key_that_is_no_key_is_refused(cell: Cell, key: bytes) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")

        refusal = await peer.refusal(Send("ada", "hello", key))

        assert isinstance(refusal, InvalidKey)


@each_wire
@pytest.mark.rule("M2")
async def test_without_a_key_each_send_is_another_message(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")

        receipts = await peer.send("ada", "twice", "twice")

        assert [it.position for it in receipts] == [1, 2]
