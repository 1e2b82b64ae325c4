"""Pinging a silent peer, and ending a link that stays silent or logs nobody in (S5)."""

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


class Watch:
    """Watches one link.

    It has one timer, set anew only when it fires: an active link costs nothing. While
    the server itself does not read (``is_reading``), the peer's silence is not its own.
    """

    def __init__(
        self,
        chat: Chat,
        connection: Connection,
        link: Link,
        is_reading: Callable[[], bool],
    ) -> None:
        self._chat = chat
        self._limits = chat.limits
        self._connection = connection
        self._link = link
        self._is_reading = is_reading
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = self._loop.time()
        self._pinged_s: float | None = None

    def begin(self) -> None:
        """Start to watch."""
        limits = self._limits
        self._set(min(limits.ping_after_s, limits.login_within_s))

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
        if self._chat.session_of(connection) is None:
            left_s = self._began_s + limits.login_within_s - now_s
            if left_s <= 0:
                connection.close(CloseCode.LOGIN_TIMEOUT)
                self._set(limits.pong_within_s)
                return
        else:
            self._began_s = now_s
            left_s = limits.login_within_s
        silent_s = now_s - self._link.active_s
        if not self._is_reading():
            silent_s, self._pinged_s = 0.0, None
        self._set(min(left_s, self._judge(silent_s, now_s)))

    def _judge(self, silent_s: float, now_s: float) -> float:
        """Ping or give up a peer that is silent; when to look again, in seconds."""
        limits = self._limits
        if self._pinged_s is not None:
            if self._link.active_s > self._pinged_s:
                self._pinged_s = None
            elif now_s - self._pinged_s >= limits.pong_within_s:
                self._connection.close(CloseCode.UNRESPONSIVE)
                return min(_LAST_WORDS_S, limits.pong_within_s)
        if self._pinged_s is None and silent_s >= limits.ping_after_s:
            self._connection.emit(Ping())
            self._pinged_s = now_s
        if self._pinged_s is not None:
            return self._pinged_s + limits.pong_within_s - now_s
        return limits.ping_after_s - silent_s
