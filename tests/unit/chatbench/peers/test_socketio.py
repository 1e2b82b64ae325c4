"""Socket.IO as packets, over frames of WebSocket that the test makes."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from chatbench.peers.socketio import SocketIoSession, connect, event, numbered
from chatbench.wire.base import Arrival
from chatbench.wire.connection import CannotOpen
from tests.unit.chatbench.peers.transcripts import Transcript, begun


class Relay:
    """The other end: WebSocket without I/O, and what it reads as text."""

    def __init__(self) -> None:
        self.session: Transcript[SocketIoSession] = begun(
            lambda told, fault: SocketIoSession(
                "socketio://127.0.0.1:1", "ada", told, fault
            )
        )
        self.protocol = ServerProtocol()
        self.path = ""

    def upgrades(self) -> None:
        """Answer the request for WebSocket."""
        self.protocol.receive_data(self.session.says())
        (request,) = self.protocol.events_received()
        assert isinstance(request, Request)
        self.path = request.path
        self.protocol.send_response(self.protocol.accept(request))
        self.session.hears(b"".join(self.protocol.data_to_send()))

    def says(self, *packets: str) -> list[str]:
        """Send packets in one read; what the session answers."""
        for packet in packets:
            self.protocol.send_text(packet.encode())
        said = self.session.hears(b"".join(self.protocol.data_to_send()))
        return self.read(said)

    def read(self, data: bytes) -> list[str]:
        """The packets in these bytes."""
        self.protocol.receive_data(data)
        return [
            bytes(it.data).decode()
            for it in self.protocol.events_received()
            if isinstance(it, Frame) and it.opcode is Opcode.TEXT
        ]


def logged_in() -> Relay:
    relay = Relay()
    relay.upgrades()
    relay.says('0{"sid":"1","pingInterval":25000}')
    relay.says('40{"sid":"2"}')
    return relay


async def test_it_asks_for_websocket_at_once_and_says_who_it_is() -> None:
    relay = Relay()
    relay.upgrades()

    said = relay.says('0{"sid":"1","upgrades":[],"pingInterval":25000}')
    relay.says('40{"sid":"2"}')

    assert relay.path == "/socket.io/?EIO=4&transport=websocket"
    assert said == ['40{"username":"ada"}']
    assert relay.session.session.opened.done()


async def test_a_refused_upgrade_is_why_it_does_not_open() -> None:
    relay = Relay()

    relay.session.hears(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(CannotOpen, match="400"):
        await relay.session.session.opened


async def test_each_message_is_an_event_that_asks_for_its_receipt() -> None:
    relay = logged_in()

    relay.session.session.send("bob", ["one", 'a "b"'])
    said = relay.read(relay.session.says())

    assert said == ['420["send","bob","one"]', '421["send","bob","a \\"b\\""]']


async def test_acknowledgements_are_receipts() -> None:
    relay = logged_in()

    relay.says("430[true]", "431[true]")

    assert relay.session.arrivals == [Arrival(2, [], 0)]


async def test_deliveries_are_acknowledged_each_by_its_number() -> None:
    relay = logged_in()
    relay.says('425["message","one"]', '426["message","two"]')

    relay.session.session.acknowledge(2)
    said = relay.read(relay.session.says())

    assert relay.session.arrivals == [Arrival(0, ["one", "two"], 2)]
    assert said == ["435[]", "436[]"]


async def test_a_ping_is_answered() -> None:
    relay = logged_in()

    assert relay.says("2") == ["3"]


async def test_a_message_to_nobody_is_a_fault() -> None:
    relay = logged_in()

    relay.says("430[false]")

    assert len(relay.session.faults) == 1
    assert "to nobody" in relay.session.faults[0]


def test_packets_are_read_as_they_are_written() -> None:
    assert connect("ada") == '40{"username":"ada"}'
    assert numbered(event(12, "send", "bob", "ü")) == (12, ["send", "bob", "ü"])


@pytest.mark.parametrize("packet", ["42[]", '425["', "2", "435{}"])
def test_a_packet_without_number_or_list_is_refused(packet: str) -> None:
    with pytest.raises(ValueError, match="no "):
        numbered(packet)
