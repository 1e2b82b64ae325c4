"""Keys of a load are keys of the chat, and grow."""

import time

from chatbench.wire.keys import KeySeries
from chatcore.keys import parse_key


def test_each_key_is_above_all_before_it() -> None:
    series = KeySeries()

    keys = [key for number in (1, 16, 3, 500) for key in series.take(number)]

    assert len(set(keys)) == 520
    assert keys == sorted(keys)


def test_a_key_is_a_uuidv7_of_now() -> None:
    before_ms = time.time_ns() // 1_000_000

    (key,) = KeySeries().take(1)

    after_ms = time.time_ns() // 1_000_000
    assert parse_key(key) == key
    assert before_ms <= int.from_bytes(key[:6]) <= after_ms
