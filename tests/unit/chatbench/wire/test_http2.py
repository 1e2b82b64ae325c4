"""The parts of HTTP/2 by themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbench.wire.grpc_stream import MessageReader
from chatbench.wire.http2 import (
    DEFAULT_MAX_FRAME,
    DEFAULT_WINDOW,
    Frame,
    FrameReader,
    FrameType,
    Outgoing,
    Setting,
    header_block,
    read_settings,
    settings,
    written,
)

FRAMES = st.lists(
    st.builds(
        Frame,
        st.sampled_from(list(FrameType)),
        st.integers(0, 255),
        st.integers(0, 2**31 - 1),
        st.binary(max_size=300),
    ),
    max_size=6,
)


def data_of(stream: bytes) -> list[bytes]:
    """The payloads of DATA frames."""
    frames = FrameReader().feed(stream)
    assert all(frame.kind == FrameType.DATA and frame.stream == 1 for frame in frames)
    return [frame.payload for frame in frames]


@given(frames=FRAMES, piece=st.integers(1, 50))
def test_frames_are_read_however_the_stream_is_split(
    frames: list[Frame], piece: int
) -> None:
    stream = b"".join(
        written(FrameType(kind), flags, number, payload)
        for kind, flags, number, payload in frames
    )
    reader = FrameReader()

    read = [
        frame
        for at in range(0, len(stream), piece)
        for frame in reader.feed(stream[at : at + piece])
    ]

    assert read == frames


@given(messages=st.lists(st.binary(max_size=300)), piece=st.integers(1, 50))
def test_messages_are_read_however_the_data_is_split(
    messages: list[bytes], piece: int
) -> None:
    data = b"".join(len(it).to_bytes(5) + it for it in messages)
    reader = MessageReader()

    read = [
        message
        for at in range(0, len(data), piece)
        for message in reader.feed(data[at : at + piece])
    ]

    assert read == messages


def test_a_compressed_message_is_refused() -> None:
    with pytest.raises(ValueError, match="compressed"):
        MessageReader().feed(b"\x01\x00\x00\x00\x01x")


def test_settings_are_read_as_they_were_written() -> None:
    said = {Setting.INITIAL_WINDOW_SIZE: 1 << 20, Setting.MAX_FRAME_SIZE: 1 << 15}

    (frame,) = FrameReader().feed(settings(said))

    assert read_settings(frame.payload) == said


def test_headers_are_literals_of_any_length() -> None:
    # RFC 7541: 6.2.2 (a literal that is not indexed), and 5.1 with its length of 7 bits
    assert header_block([("te", "x")]) == b"\x00\x02te\x01x"
    assert header_block([("te", "x" * 300)]) == b"\x00\x02te\x7f\xad\x01" + b"x" * 300


def test_data_beyond_the_window_waits_for_credit_of_stream_and_connection() -> None:
    outgoing = Outgoing(1)
    data = bytes(range(256)) * 300  # more than a window, and less than two

    first = outgoing.put(data)
    outgoing.widen(1, 100_000)
    nothing = outgoing.put(b"")
    outgoing.widen(0, 100_000)
    rest = outgoing.put(b"")

    assert len(b"".join(data_of(first))) == DEFAULT_WINDOW
    assert max(map(len, data_of(first))) == DEFAULT_MAX_FRAME
    assert nothing == b""
    assert b"".join(data_of(first) + data_of(rest)) == data
    assert outgoing.waiting_bytes == 0


def test_a_window_that_the_peer_makes_smaller_has_to_be_earned_again() -> None:
    outgoing = Outgoing(1)
    outgoing.put(b"x" * 1000)

    outgoing.obey({Setting.INITIAL_WINDOW_SIZE: 500, Setting.MAX_FRAME_SIZE: 20_000})
    nothing = outgoing.put(b"yy")
    outgoing.widen(1, 501)
    one = outgoing.put(b"")

    assert nothing == b""
    assert data_of(one) == [b"y"]
    assert outgoing.waiting_bytes == 1
