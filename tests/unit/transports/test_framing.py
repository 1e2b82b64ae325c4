"""Frames in a stream: the same ones, however the network cuts it (W2, W6)."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.framing import (
    LENGTH_BYTES,
    FrameTooLarge,
    Framing,
    LengthFraming,
    LineFraming,
)

LIMIT: Final = 32
FRAMINGS: Final[list[Callable[[int], Framing]]] = [LengthFraming, LineFraming]
each_framing = pytest.mark.parametrize("framing", FRAMINGS)
BINARY: Final = st.binary(max_size=LIMIT)
LINES: Final = st.binary(min_size=1, max_size=LIMIT).filter(
    lambda it: b"\n" not in it and not it.endswith(b"\r")
)


@each_framing
@pytest.mark.rule("W6")
def test_every_way_to_split_a_short_stream_gives_the_same_frames(
    framing: Callable[[int], Framing],
) -> None:
    frames = [b"ab", b"c", b"xyz"]
    stream = framing(LIMIT).join(frames)
    assert len(stream) <= 18

    outcomes = {tuple(fed(framing(LIMIT), pieces)) for pieces in every_split(stream)}

    assert outcomes == {tuple(frames)}


@each_framing
@pytest.mark.rule("W6")
def test_every_pair_of_splits_of_a_longer_stream_gives_the_same_frames(
    framing: Callable[[int], Framing],
) -> None:
    frames = [b"x" * size for size in (1, 31, 32, 2, 7, 30)]
    stream = framing(LIMIT).join(frames)

    for first, second in combinations(range(len(stream) + 1), 2):
        pieces = [stream[:first], stream[first:second], stream[second:]]

        assert fed(framing(LIMIT), pieces) == frames


@pytest.mark.rule("W6")
@given(frames=st.lists(BINARY), cuts=st.lists(st.integers(0, 400)))
def test_frames_behind_their_length_come_out_as_they_went_in(
    frames: list[bytes], cuts: list[int]
) -> None:
    framing = LengthFraming(LIMIT)

    assert fed(framing, cut_at(framing.join(frames), cuts)) == frames


@pytest.mark.rule("W6")
@given(frames=st.lists(LINES), cuts=st.lists(st.integers(0, 400)))
def test_lines_come_out_as_they_went_in(frames: list[bytes], cuts: list[int]) -> None:
    framing = LineFraming(LIMIT)

    assert fed(framing, cut_at(framing.join(frames), cuts)) == frames


@pytest.mark.rule("W6")
@given(stream=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200)))
@each_framing
def test_any_stream_is_read_the_same_however_it_is_cut(
    framing: Callable[[int], Framing], stream: bytes, cuts: list[int]
) -> None:
    at_once = outcome(framing(LIMIT), [stream])

    assert outcome(framing(LIMIT), cut_at(stream, cuts)) == at_once
    assert outcome(framing(LIMIT), [bytes([it]) for it in stream]) == at_once


@pytest.mark.rule("W6")
def test_a_length_over_the_limit_is_refused_before_its_frame_has_begun() -> None:
    framing = LengthFraming(LIMIT)

    with pytest.raises(FrameTooLarge) as refused:
        framing.feed((LIMIT + 1).to_bytes(LENGTH_BYTES, "big"))

    assert refused.value.limit == LIMIT


@pytest.mark.rule("W6")
def test_a_line_is_refused_as_soon_as_it_is_over_the_limit() -> None:
    framing = LineFraming(LIMIT)
    framing.feed(b"x" * LIMIT)

    with pytest.raises(FrameTooLarge):
        framing.feed(b"x")


@each_framing
@pytest.mark.rule("W6")
def test_frames_before_one_that_is_too_large_are_not_lost(
    framing: Callable[[int], Framing],
) -> None:
    stream = framing(2 * LIMIT).join([b"one", b"two", b"x" * (LIMIT + 1), b"three"])

    with pytest.raises(FrameTooLarge) as refused:
        framing(LIMIT).feed(stream)

    assert refused.value.before == [b"one", b"two"]


@each_framing
@pytest.mark.rule("W6")
def test_a_frame_of_just_the_limit_is_taken(
    framing: Callable[[int], Framing],
) -> None:
    frame = b"x" * LIMIT

    assert fed(framing(LIMIT), [framing(LIMIT).join([frame])]) == [frame]


@pytest.mark.rule("W2")
def test_a_line_may_end_as_on_windows_and_empty_ones_are_passed_over() -> None:
    framing = LineFraming(LIMIT)

    frames = fed(framing, [b"one\r", b"\n\n\r\n", b"two\n"])

    assert frames == [b"one", b"two"]


@pytest.mark.rule("W2")
def test_an_empty_frame_behind_its_length_is_a_frame() -> None:
    assert fed(LengthFraming(LIMIT), [bytes(LENGTH_BYTES)]) == [b""]


@pytest.mark.rule("W6")
def test_a_megabyte_that_comes_byte_by_byte_is_not_copied_for_each() -> None:
    frame = bytes(1024 * 1024)
    framing = LengthFraming(len(frame))
    stream = framing.join([frame])

    # Quadratic work would take minutes here, and the timeout of all tests would tell.
    frames = fed(framing, (stream[n : n + 1] for n in range(len(stream))))

    assert frames == [frame]


def fed(framing: Framing, pieces: Sequence[bytes] | Iterator[bytes]) -> list[bytes]:
    """All frames that come of these pieces."""
    return [frame for piece in pieces for frame in framing.feed(piece)]


def outcome(framing: Framing, pieces: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """The frames, and whether the stream was refused after them."""
    frames: list[bytes] = []
    for piece in pieces:
        try:
            frames += framing.feed(piece)
        except FrameTooLarge as refused:
            return frames + list(refused.before), True
    return frames, False


def every_split(stream: bytes) -> Iterator[list[bytes]]:
    """The stream cut in all 2**(n-1) ways.

    Each cut of its first half is joined to each one of the other, and left apart.
    """
    half = len(stream) // 2
    if not half:
        yield [stream]
        return
    ends = list(every_split(stream[half:]))
    for *start, joint in every_split(stream[:half]):
        for first, *rest in ends:
            yield [*start, joint, first, *rest]
            yield [*start, joint + first, *rest]


def cut_at(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    ends = sorted({*cuts, len(stream)})
    starts = [0, *ends]
    return [stream[a:b] for a, b in zip(starts, ends, strict=False)]


@each_framing
@pytest.mark.rule("B1")
def test_a_frame_that_comes_a_byte_at_a_time_takes_about_its_size(
    framing: Callable[[int], Framing],
) -> None:
    size = 100_000
    stream = framing(size).join([b"x" * size])[:-1]
    cut = framing(size)

    tracemalloc.start()
    for byte in stream:
        cut.feed(byte.to_bytes())
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert cut.held_bytes == len(stream)
    assert taken_bytes < 1.25 * size
