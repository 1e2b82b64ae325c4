"""A cost put in on purpose is there, and is what was asked for."""

import time
from statistics import median

import pytest

from chatbench.floor.planted import CostlyCodec, UnknownPlant, planted
from chatcore.commands import Acknowledge, Request, Send
from transports.codec import codec


def cost_us(costly: CostlyCodec, frame: bytes) -> float:
    """Thread CPU to read a frame; the median of some."""
    each: list[int] = []
    for _ in range(5):
        began_ns = time.thread_time_ns()
        costly.decode_commands(frame)
        each.append(time.thread_time_ns() - began_ns)
    return median(each) / 1000


def test_each_send_of_a_frame_costs_that_much_more() -> None:
    plain = codec("msgpack")
    costly = CostlyCodec(plain, 500)
    frame = plain.encode_commands([Request(n, Send("bob", "hello")) for n in (1, 2, 3)])

    spent_us = cost_us(costly, frame)

    assert 1500 <= spent_us < 1800
    assert costly.decode_commands(frame) == plain.decode_commands(frame)


def test_what_is_no_message_costs_nothing_more() -> None:
    plain = codec("msgpack")
    costly = CostlyCodec(plain, 100_000)
    frame = plain.encode_commands([Request(0, Acknowledge(7))])

    spent_us = cost_us(costly, frame)

    assert spent_us < 50_000


@pytest.mark.parametrize(
    "text",
    [
        "cpu_us",
        "cpu_us=",
        "cpu_us=much",
        "cpu_us=0",
        "cpu_us=nan",
        "cpu_us=inf",
        "ms=5",
    ],
)
def test_what_cannot_be_planted_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(UnknownPlant) as refused:
        planted(text)

    assert text in str(refused.value)
