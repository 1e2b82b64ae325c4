"""When what was shown of who is logged in expires: telling it, and closing the link.

All by the monotonic clock. A detached session is not watched: its resume asks anew.
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from chatcore.errors import CloseCode
from chatcore.events import Expiring
from chatcore.limits import Limits
from chatcore.ports import Clock
from chatcore.sessions import Session

_MS: Final = 1000
_TIDY_S: Final = 60.0
"""How often those are let go of that have ended long before they would expire."""
_AT_A_STRETCH: Final = 200
"""Sessions that are told before others have a turn: a whole crowd may have been given
its proofs at one moment (B2)."""


class Expiries:
    """Attached sessions that expire, and when each is to be looked at next."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._due_s: dict[Session, float] = {}
        self._first_s = inf  # when to look at any, no later than the first is due

    def watch(self, session: Session, expires_s: float | None) -> int:
        """Have the session expire then, or never; in how many ms that is, 0 for never.

        What was said before does not count any more.
        """
        session.expires_s = expires_s
        if expires_s is None:
            self._due_s.pop(session, None)
            return 0
        left_s = max(0.0, expires_s - self._clock.monotonic_s())
        self._look_again(session, expires_s - min(self._limits.expiring_s, left_s / 2))
        return max(1, int(left_s * _MS))

    def _look_again(self, session: Session, due_s: float) -> None:
        self._due_s[session] = due_s
        self._first_s = min(self._first_s, due_s, self._clock.monotonic_s() + _TIDY_S)

    async def tick(self) -> None:
        """Tell who is about to expire, and close the links of those who have."""
        now_s = self._clock.monotonic_s()
        if now_s < self._first_s:
            return
        for number, session in enumerate(list(self._due(now_s)), 1):
            if number % _AT_A_STRETCH == 0:
                await self._clock.latch().wait(0)
            self._see_to(session, now_s)
        next_s = min(self._due_s.values(), default=inf)
        self._first_s = min(next_s, now_s + _TIDY_S) if self._due_s else inf

    def _due(self, now_s: float) -> Iterator[Session]:
        """Those to be looked at, and none that is attached no more."""
        for session, due_s in list(self._due_s.items()):
            if not session.is_attached:
                del self._due_s[session]
            elif due_s <= now_s:
                yield session

    def _see_to(self, session: Session, now_s: float) -> None:
        """Tell a session, or close its link, if that is still due."""
        expires_s, connection = session.expires_s, session.connection
        if self._due_s.get(session, inf) > now_s or expires_s is None:
            return  # it was renewed in between
        if connection is None:
            del self._due_s[session]
        elif expires_s <= now_s:
            del self._due_s[session]
            connection.close(CloseCode.PROOF_EXPIRED)
        else:
            left_ms = max(1, int((expires_s - now_s) * _MS))
            connection.emit(Expiring(left_ms))
            self._look_again(session, expires_s)
