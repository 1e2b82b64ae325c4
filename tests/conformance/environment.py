"""A server's environment that a test has in its hands: its time and its hashing."""

import asyncio

from chatcore.ids import PasswordHash
from chatcore.ports import Passwords
from chatsystem.clock import SystemClock


class SteppedClock(SystemClock):
    """The real time, and what the test has added to it."""

    def __init__(self) -> None:
        super().__init__()
        self._added_s = 0.0

    def now_ms(self) -> int:
        """See ``chatcore.ports.Clock``."""
        return super().now_ms() + int(self._added_s * 1000)

    def monotonic_s(self) -> float:
        """See ``chatcore.ports.Clock``."""
        return super().monotonic_s() + self._added_s

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._added_s += seconds


class HeldPasswords:
    """Real hashing that waits while the test holds it; ``asked`` is set then."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._free = asyncio.Event()
        self._free.set()
        self.asked = asyncio.Event()

    def hold(self) -> None:
        """Let no hash finish."""
        self._free.clear()
        self.asked.clear()

    def release(self) -> None:
        """Let them finish again."""
        self._free.set()

    async def hash(self, password: str, *, address: str) -> PasswordHash:
        """See ``chatcore.ports.Passwords``."""
        self.asked.set()
        await self._free.wait()
        return await self._passwords.hash(password, address=address)

    async def verify(
        self, password_hash: PasswordHash | None, password: str, *, address: str
    ) -> bool:
        """See ``chatcore.ports.Passwords``."""
        self.asked.set()
        await self._free.wait()
        return await self._passwords.verify(password_hash, password, address=address)

    def is_outdated(self, password_hash: PasswordHash) -> bool:
        """See ``chatcore.ports.Passwords``."""
        return self._passwords.is_outdated(password_hash)
