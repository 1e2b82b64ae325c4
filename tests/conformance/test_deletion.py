"""Deletion: who may, what becomes of the mail, what is counted (D1 to D6)."""

import asyncio

import pytest

from chatcore import Limits
from chatcore.commands import (
    Create,
    Delete,
    DeliveryMode,
    InboxAction,
    Login,
    OutboxAction,
    Resume,
)
from chatcore.errors import (
    AccountInUse,
    DeletionStalled,
    MailboxClosing,
    NoSuchRecipient,
    OtherAccount,
    Refusal,
    SessionGone,
    WrongCredentials,
)
from chatcore.events import (
    Bounced,
    Created,
    Deleted,
    Delivered,
    Refused,
    Started,
)
from chatcore.model import DeletionReceipt
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_transport,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take, take_bodies, take_bounce
from tests.conformance.servers import serving
from transports import Client

DELETE_BOB = Delete(username="bob", password=PASSWORD)


# ---- who (D1)


@each_cell
@pytest.mark.rule("D1", "E2")
async def test_a_deletion_needs_the_right_password(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.create("bob", PASSWORD)

        for name, password in (("bob", "not this one"), ("eve", PASSWORD)):
            with pytest.raises(WrongCredentials):
                await client.delete(name, password, inbox=InboxAction.DISCARD)

        assert (await client.login("bob", PASSWORD)).username == "bob"


@each_cell
@pytest.mark.rule("D1")
async def test_an_account_that_is_logged_in_elsewhere_is_not_deleted(
    cell: Cell,
) -> None:
    async with (
        serving(cell) as server,
        server.user("bob") as bob,
        server.client() as client,
    ):
        for dry_run in (True, False):
            with pytest.raises(AccountInUse):
                await client.delete(
                    "bob", PASSWORD, inbox=InboxAction.DISCARD, dry_run=dry_run
                )

        assert await bob.send("bob", "still here")


@each_cell
@pytest.mark.rule("D1", "E2")
async def test_a_link_deletes_no_other_account_than_its_own(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)

        with pytest.raises(OtherAccount) as refused:
            await ada.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        assert refused.value.fields == {"username": "ada"}
        assert await ada.send("bob", "still there")


@each_cell
@pytest.mark.rule("D1", "S4")
async def test_an_account_can_be_deleted_without_a_login(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.ask(Create("bob", PASSWORD), Created)

        deleted = await peer.ask(DELETE_BOB, Deleted)

        assert deleted.receipt == DeletionReceipt()
        refusal = await peer.refusal(Login(username="bob", password=PASSWORD))
        assert isinstance(refusal, WrongCredentials)


@each_cell
@pytest.mark.rule("D1", "A5")
async def test_a_deleted_account_is_gone_at_once_and_its_name_is_free(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        async with server.peer() as bob:
            logged_in = await bob.login("bob")
            await bob.ask(DELETE_BOB, Deleted)
            assert isinstance(await bob.refusal(Resume(logged_in.token)), SessionGone)

        with pytest.raises(NoSuchRecipient):
            await ada.send("bob", "are you there?")

        assert await ada.create("bob", PASSWORD) != logged_in.account


@each_transport
@pytest.mark.rule("D1")
async def test_a_deletion_holds_the_session_while_it_runs(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as bob, server.peer() as other:
        await bob.login("bob")
        await bob.send("bob", "to be delivered first")
        (deleting,) = await bob.tell(DELETE_BOB)
        await bob.answer(deleting, Started)

        refusal = await other.refusal(Login(username="bob", password=PASSWORD))

        assert isinstance(refusal, AccountInUse)
        await bob.acknowledge(1)
        assert (await bob.answer(deleting, Deleted)).receipt.delivered == 1


# ---- the inbox (D2, D4)


@each_cell
@pytest.mark.rule("D2", "W7")
async def test_what_waits_is_delivered_before_the_account_goes(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])
        async with server.peer() as peer:
            (deleting,) = await peer.tell(DELETE_BOB)

            assert (await peer.expect(Started)).id == deleting
            assert [it.body for it in await peer.mail(2)] == ["one", "two"]
            await peer.acknowledge(2)

            deleted = await peer.answer(deleting, Deleted)
            assert deleted.receipt == DeletionReceipt(delivered=2)
        assert not [it async for it in ada.list("bob")]


@each_cell
@pytest.mark.rule("D2")
async def test_the_client_reads_what_waits_while_it_deletes(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", str(n)) for n in range(300)])
        async with server.client() as bob:
            await bob.login("bob", PASSWORD, delivery=DeliveryMode.MANUAL)

            async with asyncio.TaskGroup() as tasks:
                deleting = tasks.create_task(bob.delete("bob", PASSWORD))
                bodies = [message.body async for message in bob.messages()]

        assert bodies == [str(n) for n in range(300)]
        assert deleting.result() == DeletionReceipt(delivered=300)


@each_cell
@pytest.mark.rule("D2", "S5")
async def test_a_link_that_is_lost_leaves_the_account_whole(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])
        async with server.peer() as lost:
            await lost.tell(DELETE_BOB)
            await lost.until(Delivered)
            await lost.acknowledge(1)
            await lost.mail(1)
        await server.until_offline("bob")

        await ada.send("bob", "three")

        async with server.user("bob") as bob:
            assert await take_bodies(bob, 2) == ["two", "three"]


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("D2")
async def test_a_requester_that_acknowledges_nothing_deletes_nothing(
    cell: Cell,
) -> None:
    limits = Limits(deletion_stall_s=0.05)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("bob")
        await peer.send("bob", "one")
        await peer.mail(1)

        refusal = await peer.refusal(DELETE_BOB)

        assert isinstance(refusal, DeletionStalled)
        await peer.send("bob", "two")
        assert (await peer.until(Delivered)).body == "two"


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("D2")
async def test_a_mailbox_that_closes_says_so_and_opens_again(cell: Cell) -> None:
    limits = Limits(deletion_stall_s=0.3)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        async with server.peer() as bob:
            await bob.login("bob")
            await ada.send("bob", "one")
            await bob.mail(1)
            (deleting,) = await bob.tell(DELETE_BOB)
            await bob.answer(deleting, Started)
            # This one comes while the mailbox is still open, so the deletion waits
            # for it too, after it has closed the mailbox.
            await ada.send("bob", "two")
            await bob.acknowledge(1)
            refusal = await refused_until_open(ada)
            assert isinstance(refusal, MailboxClosing)
            assert int(refusal.fields["retry_after_ms"]) > 0
            stalled = await bob.answer(deleting, Refused)
            assert isinstance(stalled.refusal, DeletionStalled)

        assert await ada.send("bob", "open again")


@each_cell
@pytest.mark.rule("D2", "D4")
async def test_discarded_messages_bounce_to_their_senders(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.user("ada") as ada,
        server.user("carol") as carol,
        server.client() as client,
    ):
        bob = await client.create("bob", PASSWORD)
        await ada.send_all([("bob", "one"), ("bob", "two")])
        await carol.send("bob", "three")
        await ada.send("bob", "four")

        receipt = await client.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        assert receipt == DeletionReceipt(discarded=4, bounces=2)
        to_ada, to_carol = await take_bounce(ada), await take_bounce(carol)
        assert (to_ada.recipient, to_ada.recipient_id) == ("bob", bob)
        assert to_ada.positions == (1, 2, 4)
        assert to_carol.positions == (3,)


@each_cell
@pytest.mark.rule("D4")
async def test_a_bounce_waits_in_the_mailbox_like_a_message(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send("bob", "will be discarded")
        await client.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        async with server.peer() as ada_again:
            logged_in = await ada_again.login("ada")

            assert logged_in.queued == 1
            bounce = await ada_again.expect(Bounced)
            assert (bounce.position, bounce.follows, bounce.positions) == (1, 0, (1,))


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("D4")
async def test_a_bounce_names_only_so_many_messages_and_needs_no_room(
    cell: Cell,
) -> None:
    limits = Limits(bounce_messages=2, mailbox_messages=7)
    async with (
        serving(cell, limits=limits) as server,
        server.client() as client,
    ):
        await client.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send_all([("bob", str(n)) for n in range(5)])
            await ada.send_all([("ada", str(n)) for n in range(5)])

        receipt = await client.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        assert (receipt.discarded, receipt.bounces) == (5, 3)
        async with server.client() as ada:
            assert (await ada.login("ada", PASSWORD)).queued == 8
            await take(ada, 5)
            bounces = [await take_bounce(ada) for _ in range(3)]
            assert [it.positions for it in bounces] == [(1, 2), (3, 4), (5,)]


@each_cell
@pytest.mark.rule("D4")
async def test_a_bounce_never_bounces(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send("bob", "will be discarded")
        await client.delete("bob", PASSWORD, inbox=InboxAction.DISCARD)

        receipt = await client.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)

        assert (receipt.discarded, receipt.bounces) == (0, 0)


# ---- the outbox (D3)


@each_cell
@pytest.mark.rule("D3")
async def test_what_the_account_has_sent_is_kept_by_default(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.create("bob", PASSWORD)
        async with server.user("ada") as ada:
            await ada.send_all([("bob", "one"), ("bob", "two")])

        receipt = await client.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)

        assert receipt == DeletionReceipt(kept=2)
        async with server.user("bob") as bob:
            messages = await take(bob, 2)
            assert [it.body for it in messages] == ["one", "two"]
            assert all(it.sender_deleted for it in messages)


@each_cell
@pytest.mark.rule("D3", "M3")
async def test_retracted_messages_are_gone_and_do_not_look_lost(cell: Cell) -> None:
    async with serving(cell) as server, server.client() as client:
        await client.create("bob", PASSWORD)
        async with server.user("carol") as carol, server.user("ada") as ada:
            await ada.send("bob", "one")
            await carol.send("bob", "two")
            await ada.send("bob", "three")
            await carol.send("bob", "four")

        receipt = await client.delete(
            "ada", PASSWORD, inbox=InboxAction.DISCARD, outbox=OutboxAction.RETRACT
        )

        assert receipt == DeletionReceipt(retracted=2)
        async with server.user("bob") as bob:
            mail = [(it.body, it.position, it.follows) for it in await take(bob, 2)]
            assert mail == [("two", 2, 0), ("four", 4, 2)]


@each_cell
@pytest.mark.rule("D3")
async def test_what_was_acknowledged_is_not_retracted(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.peer() as bob,
        server.user("ada") as ada,
    ):
        await bob.login("bob")
        await ada.send_all([("bob", "one"), ("bob", "two")])
        await bob.mail(2)
        await bob.acknowledge(1)
        await bob.send("bob", "after the acknowledgement")

        receipt = await ada.delete("ada", PASSWORD, outbox=OutboxAction.RETRACT)

        assert receipt == DeletionReceipt(retracted=1)


async def refused_until_open(ada: Client) -> Refusal:
    """Send to ``bob`` until it is refused: the closing is seen on no link of his."""
    async with asyncio.timeout(10):
        while True:
            try:
                await ada.send("bob", "in between")
            except Refusal as refusal:
                return refusal
