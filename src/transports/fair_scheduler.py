"""Letting those who come all at once in by turns (B2)."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

_GREETED_AT_ONCE: Final = 2
ACCEPTED_AT_ONCE: Final = 8
"""What to give an event loop for a backlog: asyncio's accepts as many in one turn."""
PARTS_AT_ONCE: Final = 32
"""Of frames that are not whole and have more than ``LARGE_BYTES``: of a listener."""
LARGE_BYTES: Final = 16 * 1024
_BACKLOG: Final = 1024


def lengthen_backlog(sockets: Iterable[socket.socket]) -> None:
    """Have the system keep more connections than one turn accepts (listen(2))."""
    for listening in sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.listen(_BACKLOG)


class FairScheduler:
    """Lets a few through in a turn of the event loop, and the others in the next ones.

    Thousands may connect in one moment, and hundreds send parts of large frames: to see
    to them all in one turn would hold up everybody else.
    """

    def __init__(self, *, at_once: int = _GREETED_AT_ONCE) -> None:
        self._at_once = at_once
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Callable[[], bool]] = deque()
        self._passed = 0

    async def enter(self) -> None:
        """Return when it is one's turn, in the order of coming."""
        if not self._passes():
            turn: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(lambda: _let_in(turn))
            await turn

    def admits(self, go_on: Callable[[], None]) -> bool:
        """Whether it is one's turn; if not, ``go_on`` is called when it is."""

        def go() -> bool:
            go_on()
            return True

        if self._passes():
            return True
        self._waiting.append(go)
        return False

    def _passes(self) -> bool:
        """Count one more in this turn, if it may be."""
        if self._waiting or self._passed >= self._at_once:
            return False
        if not self._passed:
            self._loop.call_soon(self._next_turn)
        self._passed += 1
        return True

    def _next_turn(self) -> None:
        self._passed = 0
        while self._waiting and self._passed < self._at_once:
            self._passed += self._waiting.popleft()()
        if self._passed or self._waiting:
            self._loop.call_soon(self._next_turn)


def _let_in(turn: "asyncio.Future[None]") -> bool:
    """Whether there was somebody to let in, who had not given up waiting."""
    if turn.done():
        return False
    turn.set_result(None)
    return True


_WINDOW_S: Final = 0.01
UNIT_BYTES: Final = 256
"""So much of a frame, which may be large and hold one command, counts as a command."""


class LinkShare:
    """What one link has had done of late: whoever has much done takes turns.

    A link has some dozen things done in a hundredth of a second: they are done at once.
    One that has had hundreds shares a scheduler with all others that have, so that they
    cost those who ask for little one stretch of work in a turn, however many they are
    (B2). Alone it waits for nobody.
    """

    __slots__ = ("_loop", "_scheduler", "_since_s", "_units")

    def __init__(self, scheduler: FairScheduler) -> None:
        self._scheduler = scheduler
        self._loop = asyncio.get_running_loop()
        self._since_s = 0.0
        self._units = 0

    def allows(self, units: int, most: int) -> bool:
        """Count so many commands or events that are dealt with now; whether they may be
        at once, or have to ``enter`` first.
        """
        now_s = self._loop.time()
        if now_s - self._since_s > _WINDOW_S:
            self._since_s = now_s
            self._units = units
        else:
            self._units += units
        return self._units <= most

    async def enter(self) -> None:
        """Return when it is their turn."""
        await self._scheduler.enter()

    async def give_way(self) -> None:
        """Let others have a turn, and the other busy links theirs."""
        await asyncio.sleep(0)
        await self._scheduler.enter()
