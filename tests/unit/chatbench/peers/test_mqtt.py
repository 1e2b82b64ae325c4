"""MQTT as bytes: the opening, receipts, deliveries, packets however they are cut."""

import pytest

from chatbench.peers.mqtt import MqttSession, Packets, connect, encoded_topic, publish
from chatbench.wire.base import Arrival
from chatbench.wire.connection import CannotOpen
from tests.unit.chatbench.peers.transcripts import Transcript, begun

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
CHAT_ADA = b"\x00\x08chat/ada"


def connected() -> Transcript[MqttSession]:
    return begun(lambda told, fault: MqttSession("ada", told, fault))


def logged_in() -> Transcript[MqttSession]:
    transcript = connected()
    transcript.hears(CONNACK)
    transcript.hears(SUBACK)
    transcript.says()
    return transcript


def delivered(packet_id: int, body: str) -> bytes:
    return publish(encoded_topic("ada"), packet_id, body)


async def test_it_opens_a_persistent_session_and_subscribes_at_qos_1() -> None:
    ada = connected()

    first = ada.says()
    second = ada.hears(CONNACK)
    ada.hears(SUBACK)

    # Protocol level 4, no flag (so no clean session), no keep-alive.
    assert first == b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x00\x00\x03ada"
    assert second == b"\x82\x0d\x00\x01" + CHAT_ADA + b"\x01"
    assert ada.session.opened.done()


async def test_a_refused_connection_is_why_it_does_not_open() -> None:
    ada = connected()

    ada.hears(b"\x20\x02\x00\x05")

    with pytest.raises(CannotOpen, match="0x20"):
        await ada.session.opened


async def test_a_batch_is_one_packet_for_each_message_with_ids_from_1() -> None:
    ada = logged_in()

    ada.session.send("bob", ["one", "two"])

    topic = b"\x00\x08chat/bob"
    assert ada.says() == (
        b"\x32\x0f" + topic + b"\x00\x01one" + b"\x32\x0f" + topic + b"\x00\x02two"
    )
    assert ada.session.frames_out == 4  # CONNECT and SUBSCRIBE among them


async def test_packet_ids_begin_again_at_1_and_are_never_0() -> None:
    ada = logged_in()
    ada.session.send("bob", ["x"] * 65_535)
    ada.says()

    ada.session.send("bob", ["y"])

    assert ada.says().endswith(b"\x00\x01y")


async def test_pubacks_are_receipts() -> None:
    ada = logged_in()

    ada.hears(b"\x40\x02\x00\x01" + b"\x40\x02\x00\x02")

    assert ada.arrivals == [Arrival(2, [], 0)]


async def test_deliveries_are_acknowledged_each_by_its_id() -> None:
    ada = logged_in()
    ada.hears(delivered(7, "one") + delivered(9, "two") + delivered(11, "three"))

    ada.session.acknowledge(2)
    ada.session.acknowledge(2)

    assert ada.arrivals == [Arrival(0, ["one", "two", "three"], 3)]
    assert ada.says() == b"\x40\x02\x00\x07" + b"\x40\x02\x00\x09"


async def test_what_is_not_understood_is_a_fault() -> None:
    ada = logged_in()

    ada.hears(b"\x30\x80\x80\x80\x80\x01")

    assert len(ada.faults) == 1
    assert "four bytes" in ada.faults[0]


@pytest.mark.parametrize("length", [1, 127, 128, 16_383, 16_384])
def test_a_packet_of_any_length_is_read_back(length: int) -> None:
    packet = publish(encoded_topic("bob"), 1, "x" * length)

    found = list(Packets().feed(packet))

    assert found == [(0x32, b"\x00\x08chat/bob\x00\x01" + b"x" * length)]


def test_packets_cut_anywhere_are_the_same() -> None:
    stream = connect("ada") + publish(encoded_topic("bob"), 1, "x" * 200) + CONNACK
    whole = list(Packets().feed(stream))
    for cut in range(len(stream)):
        packets = Packets()

        parts = [*packets.feed(stream[:cut]), *packets.feed(stream[cut:])]

        assert parts == whole
