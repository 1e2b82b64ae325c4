"""How the sends of one call become frames."""

from chatbench.wire.codecs import lean_codec
from chatbench.wire.writing import SendWriter
from chatcore.commands import Send
from chatcore.limits import MIB
from transports.codec import codec


def sends_of(frames: list[bytes]) -> list[tuple[int, Send]]:
    """The numbers and sends in some frames."""
    return [
        (number, command)
        for frame in frames
        for number, command in codec("protobuf").decode_commands(frame)
        if isinstance(command, Send)
    ]


def test_all_that_is_sent_at_once_is_one_frame() -> None:
    writer = SendWriter(lean_codec("protobuf"), "batch")

    (first,) = writer.frames("bob", ["a", "b", "c"])
    (second,) = writer.frames("bob", ["d"])

    assert [number for number, _ in sends_of([first, second])] == [1, 2, 3, 4]


def test_single_frames_hold_a_message_each() -> None:
    writer = SendWriter(lean_codec("protobuf"), "single")

    frames = writer.frames("bob", ["a", "b", "c"])

    assert len(frames) == 3
    assert [(number, send.body) for number, send in sends_of(frames)] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
    ]


def test_what_is_larger_than_a_frame_is_split_in_order() -> None:
    writer = SendWriter(lean_codec("protobuf"), "batch")
    bodies = [f"{number:012d}" + "x" * 65_000 for number in range(40)]

    frames = writer.frames("bob", bodies)

    assert len(frames) > 1
    assert all(len(frame) <= MIB for frame in frames)
    sends = sends_of(frames)
    assert [number for number, _ in sends] == list(range(1, 41))
    assert [send.body for _, send in sends] == bodies
    keys = [send.key for _, send in sends]
    assert keys == sorted(set(keys))


def test_no_frame_holds_more_sends_than_a_session_lets_wait() -> None:
    writer = SendWriter(lean_codec("protobuf"), "batch")

    frames = writer.frames("bob", ["x"] * 3000)

    assert [len(sends_of([frame])) for frame in frames] == [1024, 1024, 952]
