"""A frame of one item is the same frame, written and read without its message."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from chatcore.commands import Acknowledge, Malformed, Request, Send, Unknown
from transports.codec import BrokenFrame, codec
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_commands import read_request
from transports.codec.protobuf_frames import frame_of, only_item

PROTOBUF = codec("protobuf")
COMMANDS = st.builds(
    pb.Command,
    id=st.integers(0, 2**32 - 1),
    send=st.builds(pb.Send, recipient=st.text(max_size=9), body=st.text(max_size=150)),
) | st.builds(
    pb.Command,
    id=st.integers(0, 2**32 - 1),
    acknowledge=st.builds(pb.Acknowledge, position=st.integers(0, 2**64 - 1)),
)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 129, 16383, 16384, 70_000])
def test_a_frame_of_one_item_is_what_protobuf_writes(size: int) -> None:
    item = pb.Event(delivered=pb.Delivered(body="x" * size))

    frame = frame_of(item.SerializeToString())

    assert frame == pb.ServerFrame(events=[item]).SerializeToString()


@pytest.mark.parametrize("size", [1, 2, 126, 127, 128, 129, 300, 16383])
def test_the_one_item_of_a_frame_is_found(size: int) -> None:
    item = b"x" * size

    assert only_item(frame_of(item)) == item


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x0a",
        b"\x0a\x00",
        b"\x0a\x01",
        b"\x0a\x80",
        b"\x0a\x80\x80",
        b"\x0a\x02\x08",
        b"\x12\x02\x08\x01",
        b"\x0a\x02\x08\x01\x0a\x02\x08\x02",
        b"\x0a\x82\x80\x00\x08\x01",
        frame_of(b"x" * 16384),
    ],
)
def test_any_other_frame_is_left_to_the_general_way(frame: bytes) -> None:
    assert only_item(frame) is None


@given(
    st.binary(max_size=40)
    | COMMANDS.map(lambda it: frame_of(it.SerializeToString()))
    | st.binary(max_size=200).map(frame_of)
)
def test_a_lone_command_is_read_as_one_among_others_is(frame: bytes) -> None:
    try:
        general = [read_request(it) for it in pb.ClientFrame.FromString(frame).commands]
    except DecodeError:
        with pytest.raises(BrokenFrame):
            PROTOBUF.decode_commands(frame)
    else:
        assert PROTOBUF.decode_commands(frame) == general


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
    assert PROTOBUF.decode_commands(frame_of(item.SerializeToString())) == [request_]


def test_a_lone_command_without_content_is_malformed() -> None:
    [request] = PROTOBUF.decode_commands(frame_of(b"\x08\x05"))

    assert request.id == 5
    assert isinstance(request.command, Malformed)
