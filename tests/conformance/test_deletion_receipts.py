"""What a deletion counts, carries on with, and answers again (D5, D6)."""

import pytest

from chatcore import Limits
from chatcore.commands import (
    Create,
    Delete,
    InboxAction,
    OutboxAction,
    Send,
)
from chatcore.errors import (
    KeyReused,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Created,
    Deleted,
    Started,
)
from chatcore.model import DeletionReceipt
from tests.conformance.cells import (
    Cell,
    each_cell,
    each_durable_store,
    each_wire,
)
from tests.conformance.peers import PASSWORD
from tests.conformance.reading import take_bodies, take_bounce
from tests.conformance.servers import serving

DELETE_BOB = Delete(username="bob", password=PASSWORD)
DISCARD_BOB = Delete(username="bob", password=PASSWORD, inbox=InboxAction.DISCARD)


# ---- what would happen, and what did (D5)


@each_cell
@pytest.mark.rule("D5")
@pytest.mark.parametrize(
    ("inbox", "outbox", "expected"),
    [
        (
            InboxAction.DELIVER,
            OutboxAction.KEEP,
            DeletionReceipt(dry_run=True, delivered=3, kept=2),
        ),
        (
            InboxAction.DISCARD,
            OutboxAction.KEEP,
            DeletionReceipt(dry_run=True, discarded=3, bounces=1, kept=2),
        ),
        (
            InboxAction.DISCARD,
            OutboxAction.RETRACT,
            DeletionReceipt(dry_run=True, discarded=3, bounces=1, retracted=2),
        ),
    ],
    ids=["default", "discard and keep", "erase"],
)
async def test_a_dry_run_counts_and_changes_nothing(
    cell: Cell, inbox: InboxAction, outbox: OutboxAction, expected: DeletionReceipt
) -> None:
    async with serving(cell) as server, server.client() as client:
        async with server.user("ada") as ada:
            await ada.create("bob", PASSWORD)
            await ada.send_all([("bob", "one"), ("bob", "two")])
        async with server.user("bob") as bob:
            await bob.send_all([("ada", "three"), ("ada", "four"), ("bob", "self")])

        would = await client.delete(
            "bob", PASSWORD, inbox=inbox, outbox=outbox, dry_run=True
        )

        assert would == expected
        logged_in = await client.login("bob", PASSWORD)
        assert logged_in.queued == 3
        assert await take_bodies(client, 3) == ["one", "two", "self"]


@each_durable_store
@pytest.mark.rule("D5")
async def test_a_clean_up_goes_on_after_a_restart(cell: Cell) -> None:
    limits = Limits(cleanup_rows=1, bounce_messages=1)
    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send_all([("bob", str(n)) for n in range(10)])
        async with server.peer() as peer:
            (deleting,) = await peer.tell(DISCARD_BOB)
            await peer.answer(deleting, Started)

    async with serving(cell, limits=limits) as server, server.user("ada") as ada:
        for _ in range(12):
            await server.chat.tick()
        bounces = [await take_bounce(ada) for _ in range(10)]

    assert [it.positions for it in bounces] == [(n,) for n in range(1, 11)]


# ---- repeats (D6)


@each_cell
@pytest.mark.rule("D6")
async def test_a_repeated_creation_gets_the_first_answer(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        command = Create("bob", PASSWORD, server.make_key())

        first = await peer.ask(command, Created)
        again = await peer.ask(command, Created)

        assert again.account == first.account


@each_cell
@pytest.mark.rule("D6")
async def test_a_repeated_deletion_gets_the_first_receipt(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await ada.create("bob", PASSWORD)
        await ada.send("bob", "will be discarded")
        async with server.peer() as peer:
            command = Delete(
                username="bob",
                password=PASSWORD,
                inbox=InboxAction.DISCARD,
                key=server.make_key(),
            )
            first = await peer.ask(command, Deleted)
            await ada.create("bob", PASSWORD)

            again = await peer.ask(command, Deleted)

            assert again.receipt == first.receipt
            assert first.receipt == DeletionReceipt(discarded=1, bounces=1)
        assert await ada.send("bob", "to the new one")


@each_durable_store
@pytest.mark.rule("D6")
async def test_a_deletion_is_remembered_over_a_restart(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        command = Delete(username="bob", password=PASSWORD, key=server.make_key())
        await peer.ask(Create("bob", PASSWORD), Created)
        first = await peer.ask(command, Deleted)

    async with serving(cell) as server, server.peer() as peer:
        again = await peer.ask(command, Deleted)

    assert again.receipt == first.receipt


@each_wire
@pytest.mark.rule("D6")
async def test_a_repeat_needs_the_password_and_the_name_of_the_first(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        key = server.make_key()
        await peer.ask(Create("bob", PASSWORD, key), Created)

        wrong = await peer.refusal(Create("bob", "not this one", key))
        other = await peer.refusal(Create("carol", PASSWORD, key))

        assert isinstance(wrong, WrongCredentials)
        assert isinstance(other, KeyReused)


@each_cell
@pytest.mark.rule("D6", "A5")
async def test_the_link_of_a_deleted_account_may_log_in_anew(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        old = await peer.login("bob")
        await peer.ask(DELETE_BOB, Deleted)

        new = await peer.login("bob")

        assert new.account != old.account
        await peer.ask(Send("bob", "hello"), Accepted)
