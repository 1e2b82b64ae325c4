"""Hashing: Argon2id in a bounded queue, in which addresses take turns (A2, B4)."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from chatcore.errors import Busy
from chatcore.ids import PasswordHash
from chatsystem import HashSettings
from chatsystem.passwords import Argon2Passwords

CHEAP: Final = HashSettings(memory_kib=8, passes=1)
HOME: Final = "192.0.2.1"
ELSEWHERE: Final = "192.0.2.2"


@pytest.mark.rule("A2")
async def test_a_password_matches_its_own_hash_and_no_other() -> None:
    passwords = Argon2Passwords(CHEAP)

    hashed = await passwords.hash("correct horse", address=HOME)

    assert hashed.startswith("$argon2id$")
    assert "correct horse" not in hashed
    assert await passwords.verify(hashed, "correct horse", address=HOME)
    assert not await passwords.verify(hashed, "Correct horse", address=HOME)
    assert not await passwords.verify(hashed, "", address=HOME)


@pytest.mark.rule("A2")
async def test_the_same_password_has_another_hash_each_time() -> None:
    passwords = Argon2Passwords(CHEAP)

    first = await passwords.hash("correct horse", address=HOME)
    second = await passwords.hash("correct horse", address=HOME)

    assert first != second


@pytest.mark.rule("A2")
async def test_a_user_that_does_not_exist_matches_nothing() -> None:
    passwords = Argon2Passwords(CHEAP)

    assert not await passwords.verify(None, "correct horse", address=HOME)
    assert not await passwords.verify(None, "nobody has this password", address=HOME)


@pytest.mark.rule("A2")
async def test_a_hash_that_is_none_matches_nothing() -> None:
    passwords = Argon2Passwords(CHEAP)

    plain = PasswordHash("plain text")

    assert not await passwords.verify(plain, "plain text", address=HOME)


@pytest.mark.rule("A2")
async def test_hashing_costs_what_owasp_recommends_unless_told_otherwise() -> None:
    hashed = await Argon2Passwords(HashSettings()).hash("correct horse", address=HOME)

    assert "$m=19456,t=2,p=1$" in hashed


@pytest.mark.rule("A2")
async def test_a_full_queue_says_when_to_come_back_and_empties_again() -> None:
    passwords = one_worker(queue=2, least_retry_after_ms=1234)
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(waits(passwords, HOME)) for _ in range(2)]
        await asyncio.sleep(0)

        busy = await refused(passwords, HOME)

        assert busy.retry_after_ms == 1234
        assert not any(it.done() for it in waiting)
        release()

    assert await passwords.hash("correct horse", address=HOME)


@pytest.mark.rule("A2", "B4")
async def test_who_is_refused_is_told_how_long_its_turn_would_take() -> None:
    passwords = one_worker(queue=8, address_queue=3, least_retry_after_ms=1)
    passwords._hash_s = 0.5
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        for address in (*[HOME] * 3, *[ELSEWHERE] * 3):
            tasks.create_task(waits(passwords, address))
        tasks.create_task(waits(passwords, "192.0.2.3"))
        await asyncio.sleep(0)

        busy = await refused(passwords, HOME)

        # All seven that wait come before a fourth turn of HOME, and it takes its own.
        assert busy.retry_after_ms == (7 + 1) * 500
        release()


@pytest.mark.rule("B4")
async def test_the_time_that_is_told_follows_the_time_that_hashes_take() -> None:
    passwords = Argon2Passwords(CHEAP)
    passwords._hash_s = 1000.0

    for _ in range(100):
        await passwords.hash("correct horse", address=HOME)

    assert 0 < passwords._hash_s < 10


@pytest.mark.rule("B4")
async def test_a_password_from_another_address_passes_those_that_wait() -> None:
    passwords = one_worker(queue=64)
    order: list[str] = []
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(noted(passwords, HOME, f"home {number}", order))
        await asyncio.sleep(0)

        tasks.create_task(noted(passwords, ELSEWHERE, "elsewhere", order))
        await asyncio.sleep(0)
        release()

    assert order.index("elsewhere") == 1
    assert [it for it in order if it != "elsewhere"] == [
        f"home {number}" for number in range(40)
    ]


@pytest.mark.rule("B4")
async def test_a_newcomer_displaces_the_newest_of_who_has_most() -> None:
    passwords = one_worker(queue=3)
    order: list[str] = []
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        for number in range(2):
            tasks.create_task(noted(passwords, HOME, f"home {number}", order))
        displaced = tasks.create_task(refused(passwords, HOME))
        await asyncio.sleep(0)

        tasks.create_task(noted(passwords, ELSEWHERE, "elsewhere", order))
        busy = await displaced
        release()

    assert order == ["home 0", "elsewhere", "home 1"]
    assert busy.retry_after_ms >= 100


@pytest.mark.rule("B4")
async def test_a_caller_that_is_cancelled_leaves_its_place() -> None:
    passwords = one_worker(queue=1)
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(waits(passwords, HOME))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)

        second = tasks.create_task(waits(passwords, HOME))
        await asyncio.sleep(0)
        release()

    assert waiting.cancelled()
    assert second.result().startswith("$argon2id$")


@pytest.mark.rule("B4")
async def test_no_thread_hashes_for_who_was_cancelled_before_its_turn() -> None:
    passwords = one_worker(queue=1)
    order: list[str] = []
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(noted(passwords, HOME, "home", order))
        await asyncio.sleep(0)
        # Both in one turn of the loop: the place is given before it can be left.
        waiting.cancel()
        passwords._running -= 1
        passwords._begin()
        passwords._running += 1
        release()

    assert await passwords.hash("correct horse", address=HOME)
    assert not order


@pytest.mark.rule("A2")
async def test_a_hash_that_was_made_at_another_cost_is_outdated() -> None:
    dear = Argon2Passwords(HashSettings(memory_kib=16, passes=1))
    cheap = Argon2Passwords(CHEAP)

    hashed = await cheap.hash("correct horse", address=HOME)

    assert not cheap.is_outdated(hashed)
    assert dear.is_outdated(hashed)
    assert await dear.verify(hashed, "correct horse", address=HOME)
    assert not dear.is_outdated(PasswordHash(""))


@pytest.mark.rule("A2")
async def test_the_event_loop_runs_on_while_passwords_are_hashed() -> None:
    passwords = one_worker()
    turns = 0
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        hashing = tasks.create_task(waits(passwords, HOME))
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1

        assert not hashing.done()
        release()

    assert hashing.result()


def one_worker(
    *, queue: int = 64, address_queue: int = 16, least_retry_after_ms: int = 100
) -> Argon2Passwords:
    """Cheap hashing, one after the other."""
    return Argon2Passwords(
        HashSettings(
            memory_kib=8,
            passes=1,
            workers=1,
            queue=queue,
            address_queue=address_queue,
            least_retry_after_ms=least_retry_after_ms,
        )
    )


async def waits(passwords: Argon2Passwords, address: str) -> PasswordHash:
    return await passwords.hash("correct horse", address=address)


async def refused(passwords: Argon2Passwords, address: str) -> Busy:
    with pytest.raises(Busy) as busy:
        await passwords.hash("correct horse", address=address)
    return busy.value


async def noted(
    passwords: Argon2Passwords, address: str, name: str, order: list[str]
) -> None:
    """Have a thread note that it came to this one, in place of a hash."""

    def note() -> str:
        order.append(name)
        return name

    assert await passwords._run(address, note) == name


@asynccontextmanager
async def blocked(passwords: Argon2Passwords) -> AsyncIterator[Callable[[], None]]:
    """Keep the only worker busy with a piece of work that ends when it is released."""
    begun, released = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def occupy() -> str:
        loop.call_soon_threadsafe(begun.set)
        released.wait(10)
        return ""

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(passwords._run("192.0.2.99", occupy))
        await begun.wait()
        try:
            yield released.set
        finally:
            released.set()
