"""A session moves between transports at the worst moment: no loss, no duplicate.

At five points in the way of a message or a deletion the link is cut, or the server is
killed with SIGKILL, and the client comes back over another transport. Sixteen pairs of
transports, five points and two ways make 160 cells, of which a quarter is run where not
all are asked for (``--moves whole``). In each a trap in the server holds it at the
point, so that a cell whose point is not reached fails, and ``tests.proof.history``
judges what all clients of the cell saw.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import ModuleType
from typing import Final

import pytest
import pytest_asyncio

from chatcore.commands import DeliveryMode
from chatcore.errors import NoSuchRecipient
from chatcore.model import DeletionReceipt
from tests.moving.cells import Cell, at
from tests.moving.link_ends import Point, Way
from tests.moving.lossy_transport import make_lossy
from tests.moving.server_process import WITHIN_S, ServerProcess, server_process
from tests.moving.users import PASSWORD, User, look_into_mailbox, user
from tests.proof import history
from transports import LinkDown, LinkUp

on_one_ground: Final = pytest.mark.asyncio(loop_scope="module")

READ_RECEIPTS: Final = 1000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, transport_module: ModuleType | None
) -> AsyncIterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    async with server_process(folder, transport_module) as server:
        yield server


@on_one_ground
@at(Point.BEFORE_READ, Point.STORED_BEFORE_RECEIPT)
@pytest.mark.rule("S3", "S6", "M1", "M2", "M3", "M5")
async def test_what_was_sent_as_the_link_ended_is_stored_once_and_has_its_receipt(
    cell: Cell, server: ServerProcess
) -> None:
    records: list[history.Record] = []
    bodies = cell.bodies(5)
    await server.arm(cell.point, cell.way, mark=bodies[2])
    async with (
        user(records, cell.bob, server.second[cell.second]) as bob,
        user(records, cell.ada, *doors(server, cell)) as ada,
        asyncio.timeout(WITHIN_S),
        asyncio.TaskGroup() as tasks,
    ):
        reading = tasks.create_task(bob.take(5))
        await ada.send(cell.bob, bodies[0])

        sending = tasks.create_task(ada.send(cell.bob, *bodies[1:4]))
        assert await server.there() == cell.first
        assert not sending.done()
        await server.fire()

        receipts = await sending
        await ada.send(cell.bob, bodies[4])
        await reading
        bob.client.acknowledge()

    assert [it.position for it in receipts] == [2, 3, 4]
    assert all(it.durable for it in receipts)
    assert bob.bodies == bodies
    assert await looked_into(cell.bob, server, cell, records) == []
    check_move(cell, server, ada, records)


@on_one_ground
@at(Point.RECEIPT_WRITTEN)
@pytest.mark.rule("S3", "S6", "M1", "M2", "M3", "M5")
async def test_a_receipt_that_is_lost_on_the_way_comes_again_and_is_the_first_one(
    cell: Cell, server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = make_lossy(monkeypatch)
    records: list[history.Record] = []
    bodies = cell.bodies(5)
    await server.arm(cell.point, cell.way, mark=bodies[2])
    async with (
        user(records, cell.bob, server.second[cell.second]) as bob,
        user(records, cell.ada, *doors(server, cell)) as ada,
        asyncio.timeout(WITHIN_S),
        asyncio.TaskGroup() as tasks,
    ):
        await ada.send(cell.bob, bodies[0])
        await bob.take(1)

        loss.cover(server.first[cell.first])
        sending = tasks.create_task(ada.send(cell.bob, *bodies[1:4]))
        await bob.take(3)
        assert await server.there() == cell.first
        await loss.missed()
        assert not sending.done()
        await server.fire()

        receipts = await sending
        await ada.send(cell.bob, bodies[4])
        await bob.take(1)
        bob.client.acknowledge()

    assert [it.position for it in receipts] == bob.positions[1:4] == [2, 3, 4]
    assert bob.bodies == bodies
    assert await looked_into(cell.bob, server, cell, records) == []
    check_move(cell, server, ada, records)


@on_one_ground
@at(Point.RECEIPT_WRITTEN, beyond=READ_RECEIPTS)
@pytest.mark.rule("S3", "S6", "M1", "M3", "M5")
async def test_a_receipt_that_was_read_is_honoured_whatever_becomes_of_its_link(
    cell: Cell, server: ServerProcess
) -> None:
    records: list[history.Record] = []
    bodies = cell.bodies(5)
    await server.arm(cell.point, cell.way, mark=bodies[2])
    async with (
        user(records, cell.bob, server.second[cell.second]) as bob,
        user(records, cell.ada, *doors(server, cell)) as ada,
        asyncio.timeout(WITHIN_S),
    ):
        await ada.send(cell.bob, bodies[0])

        receipts = await ada.send(cell.bob, *bodies[1:4])
        assert await server.there() == cell.first
        await server.fire()

        await ada.send(cell.bob, bodies[4])
        await bob.take(5)
        bob.client.acknowledge()

    assert [it.position for it in receipts] == bob.positions[1:4] == [2, 3, 4]
    assert bob.bodies == bodies
    assert await looked_into(cell.bob, server, cell, records) == []
    check_move(cell, server, ada, records)


@on_one_ground
@at(Point.DELIVERED_BEFORE_ACKNOWLEDGEMENT)
@pytest.mark.rule("S3", "S6", "M3", "M4", "M5")
async def test_a_message_that_was_not_yet_acknowledged_is_not_handed_over_again(
    cell: Cell, server: ServerProcess
) -> None:
    records: list[history.Record] = []
    bodies = cell.bodies(5)
    await server.arm(cell.point, cell.way, mark=bodies[2])
    async with (
        user(records, cell.bob, *doors(server, cell)) as bob,
        user(records, cell.ada, server.second[cell.second]) as ada,
        asyncio.timeout(WITHIN_S),
    ):
        await ada.send(cell.bob, bodies[0])
        await bob.take(1)

        await ada.send(cell.bob, *bodies[1:4])
        assert await server.there() == cell.first
        await bob.take(2)
        await server.fire()

        await bob.take(1)
        await ada.send(cell.bob, bodies[4])
        await bob.take(1)
        bob.client.acknowledge()

    assert bob.bodies == bodies
    assert bob.positions == [1, 2, 3, 4, 5]
    assert await looked_into(cell.bob, server, cell, records) == []
    check_move(cell, server, bob, records)


@on_one_ground
@at(Point.AMID_DELETION)
@pytest.mark.rule("S3", "S6", "M5", "D2", "D5", "D6")
async def test_a_deletion_that_is_interrupted_is_asked_again_and_loses_no_message(
    cell: Cell, server: ServerProcess
) -> None:
    records: list[history.Record] = []
    bodies = cell.bodies(4)
    await server.arm(cell.point, cell.way, mark=cell.bob)
    async with user(records, cell.ada, server.second[cell.second]) as ada:
        await ada.client.create(cell.bob, PASSWORD)
        await ada.send(cell.bob, *bodies[:3])
        async with (
            user(
                records, cell.bob, *doors(server, cell), delivery=DeliveryMode.MANUAL
            ) as bob,
            asyncio.timeout(WITHIN_S),
            asyncio.TaskGroup() as tasks,
        ):
            deleting = tasks.create_task(bob.client.delete(cell.bob, PASSWORD))
            await bob.take(2)
            assert await server.there() == cell.first
            await server.fire()

            # An answer shows that the deletion, which was asked before, runs again.
            assert [it.username async for it in bob.client.list(cell.bob)] == [cell.bob]
            assert not deleting.done()
            await ada.send(cell.bob, bodies[3])
            await bob.take_rest()
            receipt = await deleting
        records.append(history.Deleted(bob.account, retract=False, discard=False))
        with pytest.raises(NoSuchRecipient):
            await ada.client.send(cell.bob, "too late")

    assert bob.bodies == bodies
    assert bob.positions == [1, 2, 3, 4]
    assert await looked_into(cell.ada, server, cell, records) == []
    # It counts since it was asked again; of what had come before a restart, the server
    # does not know whether it was a message.
    counts = (3,) if cell.way is Way.CUT else (1, 2, 3)
    assert receipt.delivered in counts
    assert receipt == DeletionReceipt(delivered=receipt.delivered)
    check_move(cell, server, bob, records)


def doors(server: ServerProcess, cell: Cell) -> Sequence[str]:
    """By which one comes, and by which one comes back."""
    return server.first[cell.first], server.second[cell.second]


async def looked_into(
    name: str, server: ServerProcess, cell: Cell, records: list[history.Record]
) -> list[str]:
    """What waits for somebody who has gone."""
    return await look_into_mailbox(records, name, server.second[cell.second])


def check_move(
    cell: Cell, server: ServerProcess, who: User, records: list[history.Record]
) -> None:
    """Check that somebody moved as the cell says, and that no promise was broken."""
    first, second = doors(server, cell)
    assert who.links == [LinkUp(first), LinkDown(first), LinkUp(second)]
    assert history.judge(records) == []
    assert server.complaints() == ""
