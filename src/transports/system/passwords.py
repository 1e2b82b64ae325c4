"""Argon2id in a bounded pool of threads (A2).

The library releases the interpreter's lock while it hashes. 19 MiB and two passes is
OWASP's first recommendation (Password Storage Cheat Sheet, 2025).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatcore.errors import Busy
from chatcore.ids import PasswordHash


@dataclass(frozen=True, slots=True, kw_only=True)
class HashSettings:
    """What one hash costs, and how many may wait for theirs."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    workers: int = 2
    queue: int = 64
    retry_after_ms: int = 2000


INSECURE_FAST_HASH: Final = HashSettings(
    memory_kib=8, passes=1, workers=1, queue=10_000
)
"""For demos and measurements, whose passwords protect nothing."""


class Argon2Passwords:
    """See ``chatcore.ports.Passwords``."""

    def __init__(self, settings: HashSettings) -> None:
        self._settings = settings
        self._hasher = PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=1
        )
        self._pool = ThreadPoolExecutor(settings.workers, "argon2")
        self._queued = 0
        # What an unknown user's password is checked against: it must cost the same.
        self._nobody = PasswordHash(self._hasher.hash("nobody has this password"))

    async def hash(self, password: str) -> PasswordHash:
        """See ``chatcore.ports.Passwords``."""
        return PasswordHash(await self._run(partial(self._hash, password)))

    async def verify(self, password_hash: PasswordHash | None, password: str) -> bool:
        """See ``chatcore.ports.Passwords``."""
        expected = self._nobody if password_hash is None else password_hash
        matches = await self._run(partial(self._matches, expected, password))
        return bool(matches) and password_hash is not None

    async def _run(self, work: partial[str]) -> str:
        settings = self._settings
        if self._queued >= settings.queue:
            raise Busy(retry_after_ms=settings.retry_after_ms)
        self._queued += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work)
        finally:
            self._queued -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def _matches(self, expected: PasswordHash, password: str) -> str:
        """The hash itself when the password is its; empty when it is not."""
        try:
            self._hasher.verify(expected, password)
        except (VerificationError, InvalidHashError):
            return ""
        return expected
