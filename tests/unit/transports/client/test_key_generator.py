"""Idempotency keys as a client makes them: UUIDv7, always growing (M2)."""

from secrets import randbits
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.keys import parse_key
from chatcore.limits import DAY_MS
from transports.client.key_generator import KeyGenerator

NOW_MS = 1_795_000_000_000


@pytest.mark.rule("M2")
def test_a_key_is_a_uuid_of_version_7_and_of_its_time() -> None:
    key = KeyGenerator(randbits).make(NOW_MS)

    uuid = UUID(bytes=key)
    assert (uuid.version, uuid.variant) == (7, RFC_4122)
    assert int.from_bytes(key[:6]) == NOW_MS
    assert parse_key(key) == key


@pytest.mark.rule("M2")
def test_two_makers_make_different_keys() -> None:
    first, second = KeyGenerator(randbits), KeyGenerator(randbits)

    assert first.make(NOW_MS) != second.make(NOW_MS)


@pytest.mark.rule("M2")
@given(clock=st.lists(st.integers(0, 2**40), min_size=1))
def test_keys_grow_whatever_the_clock_does(clock: list[int]) -> None:
    maker = KeyGenerator(randbits)

    keys = [maker.make(now_ms) for now_ms in clock]

    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert {UUID(bytes=key).version for key in keys} == {7}
    assert {UUID(bytes=key).variant for key in keys} == {RFC_4122}


@pytest.mark.rule("M2")
@given(ahead_ms=st.integers(-(2**40), 2**40))
def test_keys_follow_the_clock_of_the_server(ahead_ms: int) -> None:
    maker = KeyGenerator(randbits)

    maker.set_server_time(NOW_MS + ahead_ms, NOW_MS)

    assert int.from_bytes(maker.make(NOW_MS)[:6]) == NOW_MS + ahead_ms


@pytest.mark.rule("M2")
def test_keys_do_not_go_back_with_a_server_whose_clock_is_a_little_behind() -> None:
    maker = KeyGenerator(randbits)
    before = maker.make(NOW_MS)

    maker.set_server_time(NOW_MS - 3_000, NOW_MS)

    after = maker.make(NOW_MS)
    assert after > before
    assert int.from_bytes(after[:6]) == NOW_MS


@pytest.mark.rule("B7")
def test_keys_follow_a_server_whose_clock_has_gone_back() -> None:
    maker = KeyGenerator(randbits)
    maker.set_server_time(NOW_MS + 10 * 365 * DAY_MS, NOW_MS)
    maker.make(NOW_MS)

    maker.set_server_time(NOW_MS, NOW_MS)

    assert int.from_bytes(maker.make(NOW_MS)[:6]) == NOW_MS


@pytest.mark.rule("B7")
@given(times=st.lists(st.integers(-(2**80), 2**80), min_size=1))
def test_no_clock_keeps_a_key_from_being_made(times: list[int]) -> None:
    maker = KeyGenerator(randbits)

    for server_time_ms in times:
        maker.set_server_time(server_time_ms, NOW_MS)

        assert UUID(bytes=maker.make(NOW_MS)).version == 7  # see M2
