"""Argon2id in a few threads, for which addresses take turns (A2, B4).

The library releases the interpreter's lock while it hashes. The pool is never given
more than its threads can begin, so that who is next is decided here.
"""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatcore.errors import Busy
from chatcore.ids import PasswordHash
from chatsystem.fair_queue import FairQueue, QueueFull
from chatsystem.hash_settings import HashSettings

_MS: Final = 1000
# A new measure of what a hash takes counts for this part of the mean.
_NEWEST: Final = 1 / 8


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """A hash that somebody waits for; Busy when its place was given to another."""

    address: str
    work: Callable[[], str]
    answer: asyncio.Future[str | Busy]


class Argon2Passwords:
    """See ``chatcore.ports.Passwords``; for one event loop.

    A request whose caller is cancelled leaves its place; a hash that has begun is
    finished in its thread for nobody.
    """

    def __init__(self, settings: HashSettings) -> None:
        self._settings = settings
        self._hasher = PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=1
        )
        self._pool = ThreadPoolExecutor(settings.workers, "argon2")
        self._queue: FairQueue[_Request] = FairQueue(
            room=settings.queue, share=settings.address_queue
        )
        self._running = 0
        # What an unknown user's password is checked against: it must cost the same.
        nobody, self._hash_s = _timed(partial(self._hash, "nobody has this password"))
        self._nobody = PasswordHash(nobody)

    @property
    def waiting(self) -> int:
        """How many passwords wait for a thread, or have one."""
        return len(self._queue) + self._running

    async def hash(self, password: str, *, address: str) -> PasswordHash:
        """See ``chatcore.ports.Passwords``."""
        return PasswordHash(await self._run(address, partial(self._hash, password)))

    async def verify(
        self, password_hash: PasswordHash | None, password: str, *, address: str
    ) -> bool:
        """See ``chatcore.ports.Passwords``."""
        expected = self._nobody if password_hash is None else password_hash
        matches = await self._run(address, partial(self._matches, expected, password))
        return bool(matches) and password_hash is not None

    def is_outdated(self, password_hash: PasswordHash) -> bool:
        """See ``chatcore.ports.Passwords``; False for what is no hash of ours."""
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return False

    async def _run(self, address: str, work: Callable[[], str]) -> str:
        """Wait for a turn and a thread.

        Raises:
            Busy: there is no place, or it went to an address that had less.
        """
        loop = asyncio.get_running_loop()
        request = _Request(address, work, loop.create_future())
        try:
            displaced = self._queue.put(address, request)
        except QueueFull:
            raise self._busy(address) from None
        if displaced is not None and not displaced.answer.done():
            displaced.answer.set_result(self._busy(displaced.address))
        self._begin()
        try:
            answer = await request.answer
        except asyncio.CancelledError:
            self._queue.discard(address, request)
            raise
        if isinstance(answer, Busy):
            raise answer
        return answer

    def _begin(self) -> None:
        """Give each free thread the request whose turn it is."""
        loop = asyncio.get_running_loop()
        while self._running < self._settings.workers and len(self._queue):
            request = self._queue.take()
            if request.answer.done():  # cancelled, and about to leave its place
                continue
            self._running += 1
            hashing = loop.run_in_executor(self._pool, _timed, request.work)
            hashing.add_done_callback(partial(self._finish, request))

    def _finish(
        self, request: _Request, hashing: asyncio.Future[tuple[str, float]]
    ) -> None:
        self._running -= 1
        error = hashing.exception()
        if error is None:
            result, took_s = hashing.result()
            self._hash_s += _NEWEST * (took_s - self._hash_s)
            if not request.answer.done():
                request.answer.set_result(result)
        elif not request.answer.done():
            request.answer.set_exception(error)
        self._begin()

    def _busy(self, address: str) -> Busy:
        """When a place for this address is likely: what it would have to wait now."""
        settings = self._settings
        turns = self._queue.turns_before(address) + 1
        wait_ms = math.ceil(_MS * turns * self._hash_s / settings.workers)
        return Busy(retry_after_ms=max(wait_ms, settings.least_retry_after_ms))

    def _hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def _matches(self, expected: PasswordHash, password: str) -> str:
        """The hash itself when the password is its; empty when it is not."""
        try:
            self._hasher.verify(expected, password)
        except (VerificationError, InvalidHashError):
            return ""
        return expected


def _timed(work: Callable[[], str]) -> tuple[str, float]:
    """What it returns, and the seconds that it took."""
    begun_s = perf_counter()
    return work(), perf_counter() - begun_s
