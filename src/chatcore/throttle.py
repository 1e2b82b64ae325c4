"""Wrong passwords (B4): slower and slower, without locking anybody out.

Two tables, each bounded: for an account's name and a network together, and for a name
alone. After some wrong passwords that are free each further one doubles the time in
which none is looked at. For the pair that time grows long; for the name alone it stays
short, and spares networks that the account was logged in to from before. A name that no
account has is treated alike.

The doubling delay is that of NIST SP 800-63B (2017), 5.2.2.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final, Generic, TypeVar

from chatcore.errors import TooManyAttempts
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.ports import Clock

_K = TypeVar("_K")
_MS: Final = 1000
MOST_KEPT: Final = 10_000
_FORGOTTEN_AFTER_S: Final = 3600.0
_MOST_DOUBLINGS: Final = 30


@dataclass(slots=True)
class _Wrong:
    """Wrong passwords so far, the last of them, when the next may come, and how many
    are being looked at: they count as wrong until they turn out right.
    """

    last_s: float
    count: int = 0
    closed_until_s: float = 0.0
    under_way: int = 0


class _Table(Generic[_K]):
    """Delays by key; those whose last wrong password is longest ago go first."""

    def __init__(self) -> None:
        self._free = 0
        self._first_s = self._longest_s = 0.0
        self._wrong: dict[_K, _Wrong] = {}

    def set(self, *, free: int, first_s: float, longest_s: float) -> None:
        """How many are free, and how long the delays are, from now on."""
        self._free = free
        self._first_s = first_s
        self._longest_s = longest_s

    def left_s(self, key: _K, now_s: float) -> float:
        """How long until a password is looked at again; 0 for now."""
        wrong = self._wrong.get(key)
        if wrong is None:
            return 0.0
        if wrong.under_way and wrong.count + wrong.under_way >= self._free:
            return max(self._first_s, wrong.closed_until_s - now_s)
        return max(0.0, wrong.closed_until_s - now_s)

    def begin(self, key: _K, now_s: float) -> None:
        """Count a password that is looked at from now on."""
        wrong = self._wrong.pop(key, None) or _Wrong(now_s)
        if now_s - wrong.last_s > _FORGOTTEN_AFTER_S:
            wrong.count = 0
        wrong.under_way += 1
        if len(self._wrong) >= MOST_KEPT:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[key] = wrong

    def end(self, key: _K, now_s: float, *, was_wrong: bool) -> None:
        """It was looked at."""
        wrong = self._wrong.get(key)
        if wrong is None:
            return  # it was forgotten meanwhile, for want of room
        # It may have been forgotten, and begun anew by others.
        wrong.under_way = max(0, wrong.under_way - 1)
        if was_wrong:
            wrong.count += 1
            wrong.last_s = now_s
            over = wrong.count - self._free
            if over >= 0:
                delay_s = self._first_s * 2.0 ** min(over, _MOST_DOUBLINGS)
                wrong.closed_until_s = now_s + min(delay_s, self._longest_s)
        elif not wrong.count and not wrong.under_way:
            del self._wrong[key]

    def drop(self, key: _K) -> None:
        """Begin anew: the password was right."""
        wrong = self._wrong.get(key)
        if wrong is not None:
            wrong.count = 0
            wrong.closed_until_s = 0.0


class Throttle:
    """Says when a password may be tried, and remembers those that were wrong."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._limits = limits
        self._pairs: _Table[tuple[Username, str]] = _Table()
        self._names: _Table[Username] = _Table()
        self.follow_limits()

    def follow_limits(self) -> None:
        """Take over what has changed in the limits; delays that run go on."""
        limits = self._limits
        self._pairs.set(
            free=limits.wrong_passwords,
            first_s=limits.throttle_first_s,
            longest_s=limits.throttle_longest_s,
        )
        self._names.set(
            free=limits.account_wrong_passwords,
            first_s=limits.throttle_first_s,
            longest_s=limits.account_throttle_longest_s,
        )

    def refuse_pair(self, username: Username, network: str) -> None:
        """Raise ``TooManyAttempts`` when this network has to wait with this name."""
        if network:
            self._refuse(self._pairs.left_s((username, network), self._now_s()))

    def is_busy(self, username: Username) -> bool:
        """Whether those have to wait who were never logged in to this account."""
        return self._names.left_s(username, self._now_s()) > 0

    def refuse_stranger(self, username: Username) -> None:
        """Raise ``TooManyAttempts`` when a network that is not known has to wait."""
        self._refuse(self._names.left_s(username, self._now_s()))

    def begin(self, username: Username, network: str) -> None:
        """Count a password that is looked at from now on."""
        now_s = self._now_s()
        if network:
            self._pairs.begin((username, network), now_s)
        self._names.begin(username, now_s)

    def end(self, username: Username, network: str, *, is_right: bool | None) -> None:
        """It was looked at, or with None could not be.

        A right one lets the pair begin anew, and not the name: others may still be
        guessing.
        """
        now_s, was_wrong = self._now_s(), is_right is False
        if network:
            if is_right:
                self._pairs.drop((username, network))
            self._pairs.end((username, network), now_s, was_wrong=was_wrong)
        self._names.end(username, now_s, was_wrong=was_wrong)

    @staticmethod
    def _refuse(left_s: float) -> None:
        if left_s > 0:
            raise TooManyAttempts(retry_after_ms=ceil(left_s * _MS))

    def _now_s(self) -> float:
        return self._clock.monotonic_s()
