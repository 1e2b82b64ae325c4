"""What came before a frame that cannot be read is still answered (E2, W6)."""

import asyncio

import pytest

from chatcore import Chat
from chatcore.commands import Acknowledge
from chatcore.errors import AcknowledgedTooMuch, CloseCode
from chatcore.events import Refused
from chatstores import open_store
from tests.conformance.cells import Cell, each_wire
from tests.conformance.servers import serving
from transports import serve


@pytest.mark.own_server
@pytest.mark.rule("E2", "W6")
async def test_commands_before_a_broken_line_are_answered_and_then_the_link_ends() -> (
    None
):
    sent = (
        b"CHAT/1 json\n"
        b'{"commands": [{"id": 1, "list": {}}, {"id": 2, "fly": {}}]}\n'
        b"{broken\n"
    )
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0") as urls,
    ):
        port = int(urls[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        writer.write(sent)
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert received.index(b'"code":200') < received.index(b'"code":101')
    assert received.index(b'"code":101') < received.index(b'"code":4500')


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("E2", "M4")
async def test_a_refused_acknowledgement_before_a_broken_frame_is_answered(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")

        await peer.tell(Acknowledge(7))
        await peer.offend(b"{broken")
        refused = await peer.expect(Refused)

        assert isinstance(refused.refusal, AcknowledgedTooMuch)
        assert await peer.end_code() is CloseCode.BROKEN_FRAME
