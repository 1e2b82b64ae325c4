"""The chat's environment, written by hand: each part does what the test tells it."""

from collections.abc import Coroutine
from itertools import count
from random import Random
from typing import TypeVar

from chatcore.errors import Busy
from chatcore.ids import PasswordHash
from chatcore.model import AuditEvent
from chatcore.ports import Environment
from tests.unit.chatcore.manual_scheduler import ManualScheduler, Wait

NOON_MS = 1_800_000_000_000

_T = TypeVar("_T")


def seeded(seed: int) -> Random:
    """Chances that are the same in each run."""
    return Random(seed)  # noqa: S311 (they decide what a test tries, no secret)


class ManualLatch:
    """A gate whose time runs out when the test moves the clock."""

    def __init__(self, clock: "ManualClock", scheduler: ManualScheduler) -> None:
        self._clock = clock
        self._wait = Wait(scheduler)
        self.deadline_s: float | None = None

    def open(self) -> None:
        self._wait.end(answer=True)

    async def wait(self, timeout_s: float) -> bool:
        self.deadline_s = self._clock.monotonic_s() + timeout_s
        return await self._wait

    def look(self) -> None:
        """Time out, if it is time."""
        if self.deadline_s is not None and self.deadline_s <= self._clock.monotonic_s():
            self._wait.end(answer=False)


class ManualClock:
    """A clock that stands still until the test moves it.

    ``wall_ahead_ms`` is by how much the wall clock is wrong, ``step_s`` what passes
    with each look at the monotonic one, as it does while work takes long.
    """

    def __init__(self, scheduler: ManualScheduler) -> None:
        self._scheduler = scheduler
        self._passed_s = 0.0
        self._latches: list[ManualLatch] = []
        self.wall_ahead_ms = 0
        self.step_s = 0.0

    def now_ms(self) -> int:
        return NOON_MS + int(self._passed_s * 1000) + self.wall_ahead_ms

    def monotonic_s(self) -> float:
        self._passed_s += self.step_s
        return self._passed_s

    def latch(self) -> ManualLatch:
        latch = ManualLatch(self, self._scheduler)
        self._latches.append(latch)
        return latch

    async def within(self, timeout_s: float, work: Coroutine[object, None, _T]) -> _T:
        latch = self.latch()
        found: list[_T] = []
        failed: list[Exception] = []

        async def run() -> None:
            try:
                found.append(await work)
            except Exception as error:  # noqa: BLE001 (it is raised below)
                failed.append(error)
            latch.open()

        running = run()
        self._scheduler.spawn(running)
        if not await latch.wait(timeout_s):
            self._scheduler.cancel(running)
            raise TimeoutError
        for error in failed:
            raise error
        return found[0]

    def advance(self, seconds: float) -> None:
        """Let time pass, and gates time out."""
        self._passed_s += seconds
        for latch in self._latches:
            latch.look()


class CountedTokens:
    """Tokens that are easy to guess: 1, 2, 3 …"""

    def __init__(self) -> None:
        self._numbers = count(1)

    def token(self) -> bytes:
        return next(self._numbers).to_bytes(32)


class QuickPasswords:
    """Hashes that cost nothing; ``hashed`` and ``checked`` count what they would.

    ``addresses`` are those they were asked for. The test's to set: ``outdated`` hashes,
    ``cost`` that new ones begin with, and in ``hashing`` and ``checking`` a wait that
    holds up the next.
    """

    def __init__(self) -> None:
        self.hashing: Wait | None = None
        self.checking: Wait | None = None
        self.hashed: list[str] = []
        self.checked: list[PasswordHash | None] = []
        self.addresses: list[str] = []
        self.outdated: set[PasswordHash] = set()
        self.cost = ""
        self.is_full = False
        self.fill_after_the_next_check = False

    async def hash(self, password: str, *, address: str) -> PasswordHash:
        self._queue(address)
        self.hashed.append(password)
        waiting, self.hashing = self.hashing, None
        if waiting is not None:
            await waiting
        return PasswordHash(f"{self.cost}hash of {password}")

    async def verify(
        self, password_hash: PasswordHash | None, password: str, *, address: str
    ) -> bool:
        self._queue(address)
        self.checked.append(password_hash)
        waiting, self.checking = self.checking, None
        if waiting is not None:
            await waiting
        if self.fill_after_the_next_check:
            self.is_full, self.fill_after_the_next_check = True, False
        return password_hash is not None and password_hash.endswith(
            f"hash of {password}"
        )

    def is_outdated(self, password_hash: PasswordHash) -> bool:
        return password_hash in self.outdated

    def _queue(self, address: str) -> None:
        self.addresses.append(address)
        if self.is_full:
            raise Busy(retry_after_ms=250)


class LowerCaseNames:
    """Preparation that maps to lower case, and refuses an exclamation mark.

    ``objections`` and ``lookalikes`` of prepared names are the test's to fill.
    """

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.objections: dict[str, str] = {}
        self.lookalikes: dict[str, str] = {}

    def prepare(self, text: str, *, max_chars: int) -> str:
        self.prepared.append(text)
        if "!" in text:
            raise ValueError("nobody shouts")
        if len(text) > max_chars:
            raise ValueError("nobody speaks that long")
        return text.lower()

    def objection(self, name: str) -> str:
        return self.objections.get(name, "")

    def plain_lookalike(self, name: str) -> str:
        return self.lookalikes.get(name, "")


class Records:
    """Keeps what it is told of accounts; see ``chatcore.ports.Observer``."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def audit(self, event: AuditEvent) -> None:
        self.events.append(event)


class Surroundings:
    """All parts of one environment, each within reach of the test."""

    def __init__(self, scheduler: ManualScheduler) -> None:
        self.clock = ManualClock(scheduler)
        self.entropy = CountedTokens()
        self.passwords = QuickPasswords()
        self.names = LowerCaseNames()
        self.records = Records()

    def as_environment(self) -> Environment:
        return Environment(
            clock=self.clock,
            entropy=self.entropy,
            passwords=self.passwords,
            names=self.names,
            observer=self.records,
        )
