"""A frame of one item in protobuf is written, and read, as one among others is."""

import pytest

from chatcore.commands import Acknowledge, Malformed, Request, Send, Unknown
from chatcore.events import Delivered
from chatcore.ids import AccountId, Position, Username
from transports.codec import codec
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_events import write_event

PROTOBUF = codec("protobuf")


@pytest.mark.parametrize("size", [0, 1, 95, 110, 127, 128, 16383, 16384, 70_000])
def test_a_frame_of_one_event_is_what_protobuf_writes(size: int) -> None:
    event = Delivered(
        position=Position(2),
        follows=Position(1),
        sender=Username("ada"),
        sender_id=AccountId(7),
        sender_deleted=False,
        body="x" * size,
        sent_at_ms=3,
    )
    item = pb.Event()
    write_event(event, item)

    frame = PROTOBUF.encode_events([event])

    assert frame == pb.ServerFrame(events=[item]).SerializeToString()


@pytest.mark.rule("E3")
@pytest.mark.parametrize(
    ("item", "request_"),
    [
        (pb.Command(id=3, acknowledge={"position": 5}), Request(3, Acknowledge(5))),
        (pb.Command(acknowledge={}), Request(0, Acknowledge(0))),
        (pb.Command(send={"recipient": "bob"}), Request(0, Send("bob", ""))),
        (pb.Command(id=4, send={"body": "hi"}), Request(4, Send("", "hi"))),
        (
            pb.Command.FromString(b"\x08\x05\x9a\x06\x00"),
            Request(5, Unknown("field 99")),
        ),
    ],
)
def test_an_unusual_command_is_read_for_what_it_is(
    item: pb.Command, request_: Request
) -> None:
    frame = pb.ClientFrame(commands=[item]).SerializeToString()

    assert PROTOBUF.decode_commands(frame) == [request_]


def test_a_lone_command_without_content_is_malformed() -> None:
    [request] = PROTOBUF.decode_commands(b"\x0a\x02\x08\x05")

    assert request.id == 5
    assert isinstance(request.command, Malformed)
