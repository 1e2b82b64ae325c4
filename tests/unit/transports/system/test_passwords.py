"""Hashing: Argon2id in a bounded queue (A2)."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import pytest

from chatcore.errors import Busy
from chatcore.ids import PasswordHash
from transports.system.passwords import Argon2Passwords, HashSettings

CHEAP: Final = HashSettings(memory_kib=8, passes=1)


@pytest.mark.rule("A2")
async def test_a_password_matches_its_own_hash_and_no_other() -> None:
    passwords = Argon2Passwords(CHEAP)

    hashed = await passwords.hash("correct horse")

    assert hashed.startswith("$argon2id$")
    assert "correct horse" not in hashed
    assert await passwords.verify(hashed, "correct horse")
    assert not await passwords.verify(hashed, "Correct horse")
    assert not await passwords.verify(hashed, "")


@pytest.mark.rule("A2")
async def test_the_same_password_has_another_hash_each_time() -> None:
    passwords = Argon2Passwords(CHEAP)

    assert await passwords.hash("correct horse") != await passwords.hash(
        "correct horse"
    )


@pytest.mark.rule("A2")
async def test_a_user_that_does_not_exist_matches_nothing() -> None:
    passwords = Argon2Passwords(CHEAP)

    assert not await passwords.verify(None, "correct horse")
    assert not await passwords.verify(None, "nobody has this password")


@pytest.mark.rule("A2")
async def test_a_hash_that_is_none_matches_nothing() -> None:
    passwords = Argon2Passwords(CHEAP)

    assert not await passwords.verify(PasswordHash("plain text"), "plain text")


@pytest.mark.rule("A2")
async def test_hashing_costs_what_owasp_recommends_unless_told_otherwise() -> None:
    hashed = await Argon2Passwords(HashSettings()).hash("correct horse")

    assert "$m=19456,t=2,p=1$" in hashed


@pytest.mark.rule("A2")
async def test_a_full_queue_says_when_to_come_back_and_empties_again() -> None:
    settings = HashSettings(
        memory_kib=8, passes=1, workers=1, queue=3, retry_after_ms=1234
    )
    passwords = Argon2Passwords(settings)
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(passwords.hash("correct horse")) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(Busy) as refused:
            await passwords.verify(None, "correct horse")

        assert refused.value.retry_after_ms == 1234
        assert not any(it.done() for it in waiting)
        release()

    assert await passwords.hash("correct horse")


@pytest.mark.rule("A2")
async def test_the_event_loop_runs_on_while_passwords_are_hashed() -> None:
    passwords = Argon2Passwords(HashSettings(memory_kib=8, passes=1, workers=1))
    turns = 0
    async with blocked(passwords) as release, asyncio.TaskGroup() as tasks:
        hashing = tasks.create_task(passwords.hash("correct horse"))
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1

        assert not hashing.done()
        release()

    assert hashing.result()


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
        tasks.create_task(passwords._run(partial(occupy)))
        await begun.wait()
        try:
            yield released.set
        finally:
            released.set()
