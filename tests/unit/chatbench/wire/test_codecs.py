"""A lean codec writes the bytes of the chat's own, and reads what that writes."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbench.wire.base import Arrival
from chatbench.wire.codecs import DecodedFrames, lean_codec
from chatbench.wire.keys import KeySeries
from chatbench.wire.protobuf import read_bodies
from chatcore.commands import Acknowledge, Request, Send
from chatcore.errors import MailboxFull
from chatcore.events import Accepted, Delivered, Event, Ping, Received, Refused
from chatcore.ids import AccountId, IdempotencyKey, Position, Username
from transports.codec import CODECS, codec

BODIES = st.lists(st.text(min_size=1, max_size=400), min_size=1, max_size=20)
every_codec = pytest.mark.parametrize("name", CODECS)


def delivered(position: int, body: str) -> Delivered:
    return Delivered(
        Position(position),
        Position(position - 1),
        Username("ada"),
        AccountId(7),
        False,  # noqa: FBT003  # a tuple
        body,
        1_795_380_757_788,
    )


def accepted(number: int) -> Accepted:
    return Accepted(number, AccountId(2**63), Position(2**40), 1_795_380_757_788, True)  # noqa: FBT003  # as it is


def read(name: str, *frames: Sequence[Event]) -> DecodedFrames:
    written = [codec(name).encode_events(events) for events in frames]
    return lean_codec(name).read(written)


@every_codec
@given(
    first_id=st.integers(1, 2**32 - 100),
    recipient=st.text(min_size=1, max_size=64),
    bodies=BODIES,
)
def test_sends_are_written_as_the_chat_writes_them(
    name: str, first_id: int, recipient: str, bodies: list[str]
) -> None:
    keys = KeySeries().take(len(bodies))

    frame = lean_codec(name).sends(first_id, recipient, bodies, keys)

    assert frame == codec(name).encode_commands(
        [
            Request(first_id + at, Send(recipient, body, IdempotencyKey(key)))
            for at, (body, key) in enumerate(zip(bodies, keys, strict=True))
        ]
    )


@every_codec
def test_a_body_of_the_largest_size_is_written_as_the_chat_writes_it(name: str) -> None:
    body = "ä" * 32_768
    keys = KeySeries().take(1)

    frame = lean_codec(name).sends(1, "bob", [body], keys)

    (request,) = codec(name).decode_commands(frame)
    assert request == Request(1, Send("bob", body, IdempotencyKey(keys[0])))


@every_codec
@given(position=st.integers(0, 2**64 - 1))
def test_acknowledgements_are_written_as_the_chat_writes_them(
    name: str, position: int
) -> None:
    frame = lean_codec(name).acknowledge(position)

    acknowledge = Request(0, Acknowledge(Position(position)))
    assert frame == codec(name).encode_commands([acknowledge])


@every_codec
@given(bodies=BODIES)
def test_bodies_and_the_last_position_are_read(name: str, bodies: list[str]) -> None:
    events = [delivered(at, body) for at, body in enumerate(bodies, 1000)]

    reading = read(name, events)

    position = 999 + len(bodies)
    assert reading == DecodedFrames(Arrival(0, bodies, position), has_others=False)


@every_codec
def test_frames_that_came_together_are_read_together(name: str) -> None:
    received = Received(Username("bob"), AccountId(8), (Position(1),))

    reading = read(
        name,
        [accepted(1), delivered(5, "five")],
        [],
        [received, accepted(2), delivered(6, "six")],
    )

    assert reading == DecodedFrames(Arrival(2, ["five", "six"], 6), has_others=False)


@every_codec
@pytest.mark.parametrize("other", [Ping(), Refused(3, MailboxFull(recipient="bob"))])
def test_anything_else_is_pointed_out(name: str, other: Event) -> None:
    reading = read(name, [accepted(1), other])

    assert reading == DecodedFrames(Arrival(1, [], 0), has_others=True)


@every_codec
def test_what_is_no_frame_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        lean_codec(name).read([b"\xff\xff\xff"])


@given(bodies=BODIES)
def test_an_echo_reads_the_bodies_that_were_sent(bodies: list[str]) -> None:
    frame = lean_codec("protobuf").sends(
        1, "bob", bodies, KeySeries().take(len(bodies))
    )

    assert read_bodies([frame, b"", frame]) == bodies * 2


def test_there_is_no_codec_of_another_name() -> None:
    with pytest.raises(ValueError, match="no lean codec 'xml'"):
        lean_codec("xml")
