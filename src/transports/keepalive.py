"""Pinging a silent peer; ending a link that stays silent, takes nothing of what is
written, or logs nobody in (S5, B1, B3).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from chatcore import Chat
from chatcore.connections import Connection
from chatcore.errors import CloseCode
from chatcore.events import Ping
from transports.base import Link

_LAST_WORDS_S: Final = 1.0
"""How long a silent peer has to be told why it goes, should it be there after all."""


class Keepalive:
    """Watches one link.

    It has one timer, set anew only when it fires: an active link costs nothing. While
    the server does not read for reasons of its own (``may_be_silent``), the peer's
    silence is not its own.

    The peer of a link that ``is_watched`` (``transports.server.Server.accept``) is
    pinged too, and given up only where it has answered one before. Early on it is asked
    once, silent or not, so that those who answer are known.

    An event loop's clock may be coarse: a pong that comes within the same tick as its
    ping is an answer, so times are compared with ``>=``.
    """

    __slots__ = (
        "_began_s",
        "_chat",
        "_connection",
        "_excused_s",
        "_is_asked",
        "_is_watched",
        "_limits",
        "_link",
        "_loop",
        "_may_be_silent",
        "_pinged_s",
        "_timer",
    )

    def __init__(
        self,
        chat: Chat,
        connection: Connection,
        link: Link,
        may_be_silent: Callable[[], bool],
    ) -> None:
        self._chat = chat
        self._limits = chat.limits
        self._connection = connection
        self._link = link
        self._may_be_silent = may_be_silent
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = link.opened_s
        self._pinged_s: float | None = None
        self._is_watched = False
        self._is_asked = True
        self._excused_s = link.opened_s

    def begin(self, *, is_watched: bool = False) -> None:
        """Start to watch; for ``is_watched`` see the class."""
        self._is_watched = is_watched
        self._is_asked = not is_watched
        limits = self._limits
        self._set(min(limits.ping_after_s, self._login_left_s(self._loop.time())))

    def end(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, delay_s: float) -> None:
        self._timer = self._loop.call_later(max(delay_s, 0.001), self._look)

    def _look(self) -> None:
        connection, limits, now_s = self._connection, self._limits, self._loop.time()
        if connection.is_over:
            # What is left is to write the last event; a peer that does not take it
            # has had its time.
            self._link.abort()
            return
        if self._chat.session_of(connection) is not None:
            self._began_s = now_s
        left_s = self._login_left_s(now_s)
        if left_s <= 0:
            self._give_up(CloseCode.LOGIN_TIMEOUT)
            return
        taking_left_s = self._link.taken_s + limits.silence_s - now_s
        if taking_left_s <= 0:
            self._give_up(CloseCode.UNRESPONSIVE)
            return
        silent_s = now_s - max(self._link.active_s, self._excused_s)
        if connection.is_silent or self._may_be_silent():
            # One that has said that it says no more is not asked to.
            silent_s, self._pinged_s = 0.0, None
        if self._is_unanswered(now_s):
            self._give_up(CloseCode.UNRESPONSIVE)
            return
        self._set(min(left_s, taking_left_s, self._ping(silent_s, now_s)))

    def _login_left_s(self, now_s: float) -> float:
        """How long there is for somebody to log in."""
        return self._began_s + self._limits.login_within_s - now_s

    def _is_unanswered(self, now_s: float) -> bool:
        """Whether a ping has waited for too long; forgets one that was answered, or
        need not be.
        """
        pinged_s = self._pinged_s
        if pinged_s is None:
            return False
        if self._link.active_s >= pinged_s:
            self._pinged_s = None
            return False
        if now_s - pinged_s < self._limits.pong_within_s:
            return False
        if self._is_watched and not self._connection.answers_pings:
            self._pinged_s, self._excused_s = None, now_s
            return False
        return True

    def _ping(self, silent_s: float, now_s: float) -> float:
        """Ping a peer that is silent; when to look again, in seconds."""
        limits = self._limits
        if self._pinged_s is None and (
            silent_s >= limits.ping_after_s or not self._is_asked
        ):
            self._is_asked = True
            self._connection.emit(Ping())
            self._pinged_s = now_s
        if self._pinged_s is not None:
            return self._pinged_s + limits.pong_within_s - now_s
        return limits.ping_after_s - silent_s

    def _give_up(self, code: CloseCode) -> None:
        self._connection.close(code)
        self._set(min(_LAST_WORDS_S, self._limits.pong_within_s))
