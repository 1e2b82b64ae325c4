"""Writers split what they write to stay under the limit of a frame (W6)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.commands import Request, Send
from chatcore.events import Event, Started
from transports.codec import (
    CODECS,
    ItemTooLarge,
    codec,
    split,
)

every_codec = pytest.mark.parametrize("name", CODECS)


@pytest.mark.rule("W6")
@given(items=st.lists(st.binary(min_size=1, max_size=8)), limit=st.integers(8, 40))
def test_frames_stay_under_the_limit_and_hold_everything_in_order(
    items: list[bytes], limit: int
) -> None:
    frames = list(split(items, b"".join, limit))

    assert b"".join(frames) == b"".join(items)
    assert all(0 < len(frame) <= limit for frame in frames)


def test_what_fits_is_encoded_once() -> None:
    encoded: list[Sequence[bytes]] = []

    def encode(items: Sequence[bytes]) -> bytes:
        encoded.append(items)
        return b"".join(items)

    frames = list(split([b"one", b"two"], encode, 6))

    assert frames == [b"onetwo"]
    assert encoded == [[b"one", b"two"]]


@pytest.mark.rule("W6")
@every_codec
def test_commands_are_split_between_frames(name: str) -> None:
    requests = [Request(n, Send("bob", "x" * 100)) for n in range(50)]

    frames = split(requests, codec(name).encode_commands, 1000)

    assert all(len(frame) <= 1000 for frame in frames)
    assert [it for frame in frames for it in codec(name).decode_commands(frame)] == (
        requests
    )


@pytest.mark.rule("W6")
@every_codec
def test_events_are_split_between_frames(name: str) -> None:
    events: list[Event] = [Started(n) for n in range(500)]

    frames = split(events, codec(name).encode_events, 200)

    assert all(len(frame) <= 200 for frame in frames)
    assert [it for frame in frames for it in codec(name).decode_events(frame)] == events


@every_codec
def test_no_items_make_no_frame(name: str) -> None:
    assert split([], codec(name).encode_events, 100) == []


@every_codec
def test_an_item_that_is_over_the_limit_alone_is_named(name: str) -> None:
    small, large = Request(1, Send("bob", "x")), Request(2, Send("bob", "x" * 200))

    with pytest.raises(ItemTooLarge, match="Send takes") as raised:
        split([small, large], codec(name).encode_commands, 100)

    assert raised.value.item == large
    assert raised.value.frame_bytes > raised.value.limit == 100
