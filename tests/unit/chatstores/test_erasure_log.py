"""The erasure log as a file: what is in it, and when it is refused (D5)."""

# ruff: noqa: ASYNC240 (nothing else runs on these event loops)

import json
import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatcore.errors import StoreUnavailable
from chatcore.ids import NO_KEY, AccountId, IdempotencyKey
from chatcore.model import NO_MARK, Erasure, LoggedErasure, LogMark
from chatstores.erasure_log import FileErasureLog
from chatstores.errors import ErasureLogRefused
from tests.unit.chatstores.store_driver import NOW_MS, key

pytestmark = pytest.mark.rule("D5")

OURS = b"ours"


def erasure(account: int, under: IdempotencyKey = NO_KEY) -> Erasure:
    return Erasure(
        account=AccountId(account),
        discard=account % 2 == 0,
        retract=account % 3 == 0,
        key=under,
        at_ms=NOW_MS,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "erasures"


@contextmanager
def opened(path: Path, *, reset: bool = False) -> Iterator[FileErasureLog]:
    log = FileErasureLog(path, reset=reset)
    try:
        yield log
    finally:
        log.close()


async def written(path: Path, *accounts: int) -> list[LogMark]:
    """A log of these accounts; the marks of all its records."""
    with opened(path) as log:
        begun = await log.after(OURS, NO_MARK)
        return [
            *(it.mark for it in begun),
            *[await log.append(erasure(it)) for it in accounts],
        ]


async def test_it_keeps_ids_and_choices_for_its_owner_only(path: Path) -> None:
    mask = os.umask(0)
    with opened(path) as log:
        await log.after(OURS, NO_MARK)
        await log.append(erasure(6, key(1)))
    os.umask(mask)

    first, second = map(json.loads, path.read_text().splitlines())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first["begin"] == OURS.hex()
    assert second["sequence"] == 1
    assert second["erase"] == 6
    assert second["inbox"] == "discard"
    assert second["outbox"] == "retract"
    assert second["key"] == key(1).hex()
    assert second["at_ms"] == NOW_MS
    assert set(second) == {
        *("sequence", "at_ms", "erase", "inbox", "outbox", "key"),
        *("before", "digest"),
    }


async def test_what_comes_after_a_mark_is_told_without_what_was_withdrawn(
    path: Path,
) -> None:
    begin, first, second = await written(path, 1, 2)
    with opened(path) as log:
        assert list(await log.after(OURS, second)) == []
        withdrawal = await log.withdraw(second)
        fourth = await log.append(erasure(4, key(1)))

    with opened(path) as log:
        after = list(await log.after(OURS, first))
    with opened(path) as log:
        everything = list(await log.after(OURS, NO_MARK))

    assert after == [
        LoggedErasure(second, None),
        LoggedErasure(withdrawal, None),
        LoggedErasure(fourth, erasure(4, key(1))),
    ]
    assert everything == [
        LoggedErasure(begin, None),
        LoggedErasure(first, erasure(1)),
        *after,
    ]


@pytest.mark.parametrize("cut", [1, 20, 150])
async def test_a_last_line_that_was_cut_short_is_taken_off(
    path: Path, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    *_, first, _ = await written(path, 1, 2)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])

    with opened(path) as log:
        assert list(await log.after(OURS, first)) == []
        again = await log.append(erasure(3))

    assert again.sequence == 2
    assert "cut short" in caplog.text
    with opened(path) as log:
        (third,) = await log.after(OURS, first)
    assert third == LoggedErasure(again, erasure(3))


def drop_first(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[1:])


def drop_middle(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:2], *lines[3:]])


def drop_last(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


def change_account(content: bytes) -> bytes:
    return content.replace(b'"erase": 2', b'"erase": 5')


def damage(content: bytes) -> bytes:
    return content[:200] + bytes(20) + content[220:]


def swap(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[:2], lines[3], lines[2], *lines[4:]])


FAULTS: list[Callable[[bytes], bytes]] = [
    *(drop_first, drop_middle, drop_last, change_account, damage, swap),
    lambda _: b"",
    lambda _: b"no log at all\n",
    lambda content: content.replace(OURS.hex().encode(), b"00" * 4),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_log_with_a_fault_is_refused_until_it_is_begun_anew(
    path: Path, fault: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    *_, last = await written(path, 1, 2, 3)
    faulty = fault(path.read_bytes())
    path.write_bytes(faulty)

    with opened(path) as log, pytest.raises(ErasureLogRefused) as refused:
        await log.after(OURS, last)

    assert refused.value.code == 608
    assert "--erasure-log-reset" in refused.value.text
    assert path.read_bytes() == faulty
    with opened(path, reset=True) as log:
        (begin,) = await log.after(OURS, last)
        fourth = await log.append(erasure(4))
    assert begin.erasure is None
    assert begin.mark.sequence == 4
    assert "begins, as asked" in caplog.text
    assert path.with_name("erasures.before-reset-1").read_bytes() == faulty
    with opened(path) as log:
        assert list(await log.after(OURS, begin.mark)) == [
            LoggedErasure(fourth, erasure(4))
        ]


async def test_a_log_that_is_missing_is_refused(path: Path) -> None:
    with opened(path) as log, pytest.raises(ErasureLogRefused, match="missing"):
        await log.after(OURS, LogMark(1, b"x"))

    assert not path.exists()


async def test_another_log_of_the_same_length_is_refused(path: Path) -> None:
    *_, last = await written(path, 1, 2)
    path.unlink()
    await written(path, 1, 3)

    with opened(path) as log, pytest.raises(ErasureLogRefused, match="has seen"):
        await log.after(OURS, last)


async def test_a_new_log_carries_out_what_can_be_read_of_the_old(path: Path) -> None:
    _, first, _, third = await written(path, 1, 2, 3)
    path.write_bytes(drop_middle(path.read_bytes()))

    with opened(path, reset=True) as log:
        left, begin = await log.after(OURS, first)

    assert left == LoggedErasure(third, erasure(3))
    assert begin.mark.sequence == 4


async def test_a_reset_of_a_log_that_is_whole_changes_nothing(path: Path) -> None:
    *_, last = await written(path, 1)
    content = path.read_bytes()

    with opened(path, reset=True) as log:
        assert list(await log.after(OURS, last)) == []

    assert path.read_bytes() == content


async def test_without_room_nothing_is_appended_and_later_it_goes_on(
    path: Path,
) -> None:
    *_, first = await written(path, 1)
    with opened(path) as log:
        await log.after(OURS, first)
        size = path.stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

        # Some of the next line has room, and the rest has not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
        try:
            with pytest.raises(StoreUnavailable, match="the erasure log"):
                await log.append(erasure(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert path.stat().st_size == size
        third = await log.append(erasure(3))
    with opened(path) as log:
        assert list(await log.after(OURS, first)) == [LoggedErasure(third, erasure(3))]


async def test_a_log_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "missing" / "log") as log,
        pytest.raises(ErasureLogRefused, match="No such file"),
    ):
        await log.after(OURS, NO_MARK)


async def test_a_log_that_is_closed_takes_no_more(path: Path) -> None:
    with opened(path) as log:
        await log.after(OURS, NO_MARK)

    with pytest.raises(StoreUnavailable, match="closed"):
        await log.append(erasure(1))
