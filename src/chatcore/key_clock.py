"""The time by which idempotency keys live and expire (M2, B7).

A wall clock may be wrong, for a moment or for long, and then it must not switch
deduplication off. So the horizon below which keys are forgotten follows a time of its
own: it runs with the monotonic clock, at most twice as fast where the wall clock is
ahead, half as fast where it is a little behind, and never goes back. It begins where
the store's horizon was left; a new store begins with the wall clock.

After a long time without a server it is behind, and catches up; until then keys are
kept for longer than they have to be. Clients make their keys by the time that the
welcome tells: the wall clock's, unless that has left the half day after ours. They go
on from there by clocks of their own, also when ours runs at half speed meanwhile, which
is what the other half of the day is for that keys may be ahead.
"""

from typing import Final

from chatcore.ids import NO_KEY, IdempotencyKey
from chatcore.keys import key_from_ms, ms_of_key
from chatcore.limits import DAY_MS
from chatcore.ports import Clock
from chatcore.store import KeySpan

_FASTEST: Final = 2.0
_SLOWEST: Final = 0.5
_SLOW_WITHIN_MS: Final = DAY_MS / 24
"""A wall clock that is further behind than this is not one to wait for."""
_TOLD_AHEAD_MS: Final = DAY_MS // 2
_MS: Final = 1000.0


class KeyClock:
    """The time of keys in one chat.

    Args:
        clock: both of the machine's clocks.
        lifetime_ms: how long keys live.
        horizon: where the store's was left; empty in a new store.
    """

    def __init__(
        self, clock: Clock, *, lifetime_ms: int, horizon: IdempotencyKey
    ) -> None:
        self._clock = clock
        self._lifetime_ms = lifetime_ms
        self._seen_s = clock.monotonic_s()
        self._span_at = (-1, -1)
        self._span = KeySpan(NO_KEY, NO_KEY)
        self._time_ms = float(
            ms_of_key(horizon) + lifetime_ms if horizon else clock.now_ms()
        )

    def now_ms(self) -> int:
        """The time of keys, which never goes back."""
        now_s = self._clock.monotonic_s()
        passed_ms = (now_s - self._seen_s) * _MS
        self._seen_s = now_s
        ahead_ms = self._clock.now_ms() - self._time_ms
        if ahead_ms >= passed_ms:
            self._time_ms += min(ahead_ms, _FASTEST * passed_ms)
        elif ahead_ms > passed_ms - _SLOW_WITHIN_MS:
            self._time_ms += max(ahead_ms, _SLOWEST * passed_ms)
        else:
            self._time_ms += passed_ms
        return int(self._time_ms)

    def told_ms(self) -> int:
        """The time that a client is told, to make its keys by."""
        now_ms = self.now_ms()
        return min(max(self._clock.now_ms(), now_ms), now_ms + _TOLD_AHEAD_MS)

    def span(self) -> KeySpan:
        """Which keys may be stored now.

        Those of a client that goes by a clock of its own, which is right, are among
        them also while ours has to catch up.
        """
        now_ms, wall_ms = self.now_ms(), self._clock.now_ms()
        if (now_ms, wall_ms) != self._span_at:
            # Once a millisecond, not once a message.
            self._span_at = (now_ms, wall_ms)
            newest_ms = max(wall_ms, now_ms) + DAY_MS
            oldest = key_from_ms(now_ms - self._lifetime_ms)
            self._span = KeySpan(oldest, key_from_ms(newest_ms))
        return self._span

    def oldest(self) -> IdempotencyKey:
        """Keys below this one are forgotten, or may be."""
        return key_from_ms(self.now_ms() - self._lifetime_ms)
