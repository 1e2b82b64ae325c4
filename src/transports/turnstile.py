"""Letting those who come all at once in by turns (B2)."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Iterable
from typing import Final

_AT_ONCE: Final = 2


ACCEPTED_AT_ONCE: Final = 8
"""What to give an event loop for a backlog: asyncio's accepts as many in one turn."""
_BACKLOG: Final = 1024


def lengthen_backlog(sockets: Iterable[socket.socket]) -> None:
    """Have the system keep more connections than one turn accepts (listen(2))."""
    for listening in sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.listen(_BACKLOG)


class Turnstile:
    """Lets a few through in a turn of the event loop, and the others in the next ones.

    Thousands may connect in one moment: to greet them all in one turn would hold up
    everybody who is there already.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._passed = 0

    async def enter(self) -> None:
        """Return when it is one's turn, in the order of coming."""
        if self._passed or self._waiting:
            if self._waiting or self._passed >= _AT_ONCE:
                turn: asyncio.Future[None] = self._loop.create_future()
                self._waiting.append(turn)
                await turn
                return
        else:
            self._loop.call_soon(self._next_turn)
        self._passed += 1

    def _next_turn(self) -> None:
        self._passed = 0
        while self._waiting and self._passed < _AT_ONCE:
            turn = self._waiting.popleft()
            if not turn.done():  # nobody gave up waiting
                turn.set_result(None)
                self._passed += 1
        if self._passed or self._waiting:
            self._loop.call_soon(self._next_turn)
