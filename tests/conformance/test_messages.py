"""Messages: from a send to its receipt, to the mailbox, and out of it (M1 to M8)."""

import asyncio
from contextlib import suppress

import pytest

from chatcore import Limits
from chatcore.commands import Acknowledge, Deliver, DeliveryMode, List, Send
from chatcore.errors import (
    InvalidBody,
    MailboxFull,
    NoSuchRecipient,
    OutcomeUnknown,
    Refusal,
)
from chatcore.events import Accepted, Delivered, Listed, Received, Refused
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_durable_store,
    each_transport,
    each_wire,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take, take_bodies
from tests.conformance.servers import serving
from tests.conformance.stores import Forgetful

# ---- stored, and then told (M1)


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M1")
async def test_a_receipt_says_what_was_stored_and_whether_it_lasts(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        bob = await ada.create("bob", PASSWORD)

        receipts = [await ada.send("bob", body) for body in ("one", "two")]

        assert [it.recipient_id for it in receipts] == [bob, bob]
        assert [it.position for it in receipts] == [1, 2]
        assert [it.durable for it in receipts] == [cell.store.durable] * 2
        assert abs(receipts[0].sent_at_ms - server.now_ms) < 60_000


@each_cell
@pytest.mark.rule("M1")
async def test_a_message_arrives_as_it_was_sent(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.user("ada") as ada,
        server.user("bob") as bob,
    ):
        receipt = await ada.send("bob", "hello, Bob")

        (message,) = await take(bob, 1)

        assert message == Delivered(
            position=receipt.position,
            follows=message.follows,
            sender=ada.username or message.sender,
            sender_id=ada.account or message.sender_id,
            sender_deleted=False,
            body="hello, Bob",
            sent_at_ms=receipt.sent_at_ms,
        )
        assert (message.follows, message.sender) == (0, "ada")


@each_durable_store
@pytest.mark.rule("M1", "S6")
async def test_what_has_a_receipt_is_there_after_a_restart(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])

    async with serving(cell) as server, server.user("bob") as bob:
        assert await take_bodies(bob, 2) == ["one", "two"]


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("M1", "M2")
async def test_a_send_of_unknown_outcome_is_repeated_under_its_key(cell: Cell) -> None:
    async with serving(cell, over=Forgetful) as server, server.peer() as peer:
        await peer.login("ada")
        send = Send("ada", "was it stored?", server.make_key())

        unknown = await peer.refusal(send)
        receipt = await peer.ask(send, Accepted)

        assert isinstance(unknown, OutcomeUnknown)
        assert receipt.position == 1
        await peer.send("ada", "the next")
        bodies = [it.body for it in await peer.mail(2)]
        assert bodies == ["was it stored?", "the next"]


# ---- order (M3)


@each_cell
@pytest.mark.rule("M3")
async def test_messages_arrive_in_the_order_they_were_sent(cell: Cell) -> None:
    count = 400
    async with (
        serving(cell) as server,
        server.user("ada") as ada,
        server.user("bob") as bob,
    ):
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(take(bob, count))
            receipts = await ada.send_all([("bob", str(n)) for n in range(count)])

        messages = reading.result()
        assert [it.body for it in messages] == [str(n) for n in range(count)]
        positions = [it.position for it in messages]
        assert positions == [it.position for it in receipts if isinstance(it, Accepted)]
        assert [it.follows for it in messages] == [0, *positions[:-1]]


@each_cell
@pytest.mark.rule("M3")
async def test_positions_are_not_used_again_after_all_is_acknowledged(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "one", "two")
        await peer.mail(2)
        await peer.acknowledge(2)

        (receipt,) = await peer.send("ada", "three")

        (message,) = await peer.mail(1)
        assert (receipt.position, message.position, message.follows) == (3, 3, 2)


# ---- acknowledgements (M4, M8)


@each_cell
@pytest.mark.rule("M4")
async def test_mail_that_was_only_written_comes_again(cell: Cell) -> None:
    async with serving(cell) as server:
        async with server.peer() as lost:
            await lost.login("ada")
            await lost.send("ada", "one", "two", "three")
            await lost.mail(3)
            await lost.acknowledge(2)
            await lost.ask(List(), Listed)
        await server.until_offline("ada")

        async with server.peer() as found:
            logged_in = await found.login("ada")

            assert (logged_in.queued, logged_in.acknowledged) == (1, 2)
            (message,) = await found.mail(1)
            assert (message.body, message.follows) == ("three", 2)


@each_cell
@pytest.mark.rule("M4", "W7")
async def test_an_acknowledgement_above_what_was_delivered_is_refused(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "one", "two")
        await peer.mail(2)

        refusal = await peer.refusal(Acknowledge(3))

        assert refusal.fields == {"position": "3", "delivered": "2"}
        await peer.tell(Acknowledge(2), Acknowledge(1), Acknowledge(0))
        assert not isinstance((await peer.ask(List(), Listed)), Refused)


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M4", "M6")
async def test_acknowledged_messages_make_room_at_once(cell: Cell) -> None:
    limits = Limits(mailbox_messages=2)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "one", "two")
        await peer.mail(2)

        _, sent = await peer.tell(Acknowledge(1), Send("ada", "three"))

        await peer.answer(sent, Accepted)
        refusal = await peer.refusal(Send("ada", "four"))
        assert isinstance(refusal, MailboxFull)


@each_durable_store
@pytest.mark.rule("M4")
async def test_what_was_acknowledged_stays_so_after_a_restart(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await peer.send("ada", "one", "two")
        await peer.mail(2)
        await peer.acknowledge(1)
        await peer.ask(List(), Listed)  # so that it has been read

    async with serving(cell) as server, server.peer() as peer:
        logged_in = await peer.login("ada")

        assert (logged_in.queued, logged_in.acknowledged) == (1, 1)


@each_cell
@pytest.mark.rule("M8")
async def test_a_sender_that_is_online_is_told_of_acknowledgements(cell: Cell) -> None:
    notices: asyncio.Queue[Received] = asyncio.Queue()
    async with (
        serving(cell) as server,
        server.user("ada", on_received=notices.put_nowait) as ada,
        server.peer() as bob,
    ):
        account = (await bob.login("bob")).account
        await ada.send_all([("bob", body) for body in ("one", "two", "three")])
        await bob.mail(3)

        await bob.acknowledge(2)

        notice = await asyncio.wait_for(notices.get(), 10)
        assert (notice.recipient, notice.recipient_id) == ("bob", account)
        assert notice.positions == (1, 2)


# ---- each once (M5)


@each_wire
@pytest.mark.rule("M5", "M4")
async def test_asking_for_the_next_message_acknowledges_the_one_before(
    cell: Cell,
) -> None:
    notices: asyncio.Queue[Received] = asyncio.Queue()
    async with (
        serving(cell) as server,
        server.user("ada", on_received=notices.put_nowait) as ada,
        server.user("bob") as bob,
    ):
        await ada.send_all([("bob", "one"), ("bob", "two")])

        await take(bob, 2)

        assert (await asyncio.wait_for(notices.get(), 10)).positions == (1,)
        bob.acknowledge()
        assert (await asyncio.wait_for(notices.get(), 10)).positions == (2,)


@each_cell
@pytest.mark.rule("M5")
async def test_a_new_client_sees_again_what_was_not_acknowledged(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two"), ("bob", "three")])
        with suppress(ZeroDivisionError):
            async with server.user("bob") as first:
                assert await take_bodies(first, 2) == ["one", "two"]
                # By its answer the acknowledgement of the first is out as well.
                assert [it.username async for it in first.list("bob")] == ["bob"]
                raise ZeroDivisionError

        async with server.user("bob") as second:
            assert await take_bodies(second, 2) == ["two", "three"]


@each_cell
@pytest.mark.rule("M5")
async def test_a_loop_that_is_left_well_acknowledges_what_it_took_last(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two"), ("bob", "three")])
        async with server.user("bob") as first:
            async for message in first.messages():
                if message.body == "two":
                    break

        async with server.user("bob") as second:
            assert await take_bodies(second, 1) == ["three"]


@each_cell
@pytest.mark.rule("M5")
async def test_what_a_cancelled_task_was_at_comes_again(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])
        async with server.user("bob") as first:
            at_two = asyncio.Event()

            async def read() -> None:
                async for message in first.messages():
                    if message.body == "two":
                        at_two.set()
                        await asyncio.Event().wait()

            reading = asyncio.get_running_loop().create_task(read())
            await at_two.wait()
            reading.cancel()
            await asyncio.wait([reading])

        async with server.user("bob") as second:
            assert await take_bodies(second, 1) == ["two"]


@each_cell
@pytest.mark.rule("M5")
async def test_a_client_hands_over_once_what_it_gets_again_after_a_logout(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.login("ada", PASSWORD, create=True)
        await client.send_all([("ada", "one"), ("ada", "two")])
        assert await take_bodies(client, 2) == ["one", "two"]
        await client.logout()

        await client.login("ada", PASSWORD)
        await client.send("ada", "three")

        assert await take_bodies(client, 1) == ["three"]


# ---- what a message may be (M6)


@each_cell
@pytest.mark.rule("M6")
@pytest.mark.parametrize(
    "body",
    ["x", "\0", "line\nline\r\n", '{"json": "\\u0041"}', "שלום 🙂 \u2028", "x" * 65536],
    ids=["short", "nul", "lines", "json", "unicode", "long"],
)
async def test_a_body_may_be_any_text(cell: Cell, body: str) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.send("ada", body)

        assert await take_bodies(ada, 1) == [body]


@each_wire
@pytest.mark.rule("M6", "E2")
@pytest.mark.parametrize("body", ["", "x" * 65537, "é" * 32769])
async def test_a_body_that_is_empty_or_too_long_is_refused(
    cell: Cell, body: str
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        with pytest.raises(InvalidBody) as refused:
            await ada.send("ada", body)

        size = len(body.encode())
        assert refused.value.fields == {"maximum": "65536", "bytes": str(size)}
        assert (await ada.send("ada", "x")).position == 1


@each_wire
@pytest.mark.rule("M6")
async def test_a_lone_surrogate_is_no_text(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        with pytest.raises(InvalidBody):
            await ada.send("ada", "\ud800")

        assert (await ada.send("ada", "x")).position == 1


@each_cell
@pytest.mark.rule("M6")
async def test_a_message_to_nobody_is_refused(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        with pytest.raises(NoSuchRecipient) as refused:
            await ada.send("eve", "hello?")

        assert refused.value.fields == {"recipient": "eve"}


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("M6", "E2")
async def test_a_full_mailbox_refuses_and_drops_nothing(cell: Cell) -> None:
    limits = Limits(mailbox_messages=3)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)

        answers = await ada.send_all([("bob", str(n)) for n in range(5)])

        refusals = [it for it in answers if isinstance(it, Refusal)]
        assert [type(it) for it in refusals] == [MailboxFull, MailboxFull]
        assert refusals[0].fields == {"recipient": "bob"}
        async with server.user("bob") as bob:
            assert await take_bodies(bob, 3) == ["0", "1", "2"]


# ---- deliver (M7)


@each_cell
@pytest.mark.rule("M7")
async def test_deliver_tells_when_all_that_was_queued_is_acknowledged(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", str(n)) for n in range(5)])
        async with server.user("bob", delivery=DeliveryMode.MANUAL) as bob:
            async with asyncio.TaskGroup() as tasks:
                delivering = tasks.create_task(bob.deliver())
                bodies = await take_bodies(bob, 5)
                finished_early = delivering.done()
                bob.acknowledge()

            assert bodies == [str(n) for n in range(5)]
            assert not finished_early
            assert delivering.result() == 5


@each_cell
@pytest.mark.rule("M7")
async def test_deliver_with_nothing_queued_is_finished_at_once(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        assert await ada.deliver() == 0


@each_cell
@pytest.mark.rule("M7", "S2")
async def test_deliver_sends_nothing_that_came_later(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada", delivery=DeliveryMode.MANUAL)
        await peer.send("ada", "before")
        await peer.tell(Deliver())
        await peer.until(Delivered)
        await peer.acknowledge(1)

        await peer.send("ada", "after")
        events = [await peer.next()]
        (listed,) = await peer.tell(List())
        while getattr(events[-1], "id", 0) != listed:
            events.append(await peer.next())

        assert not any(isinstance(it, Delivered) for it in events)


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("M1", "M8")
async def test_what_the_application_sends_arrives_as_all_else(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as ada:
        await ada.login("ada")
        await server.chat.ensure_account("shop")

        receipt = await server.chat.send("shop", "ada", "parcel sent")

        (mail,) = await ada.mail(1)
        assert (mail.sender, mail.body) == ("shop", "parcel sent")
        assert mail.position == receipt.position
        await ada.acknowledge(mail.position)
        await ada.send("ada", "by now it is acknowledged")
        assert (await server.chat.pending("ada")).queued == 1
