"""A link that is driven without a task: its end can be awaited, and need not be."""

import asyncio
from collections.abc import Awaitable, Callable, Generator

from transports.base import Link, Spawn
from transports.waiters import wake


class ServedLink:
    """What ``serve`` answers a listener that gives it a link.

    The link is served whether or not anybody awaits this. A task that does nothing else
    holds 2 KiB for each link, so a listener that has nothing to do at its end lets it
    be. Whoever awaits it and is cancelled ends the link.

    Args:
        link: whose.
        on_end: told of the link once it has ended.
    """

    __slots__ = ("_gone", "_is_gone", "_link", "_on_end")

    def __init__(self, link: Link, on_end: Callable[[Link], None]) -> None:
        self._link = link
        self._on_end = on_end
        self._is_gone = False
        self._gone: asyncio.Future[None] | None = None

    def end(self) -> None:
        """Take note that the link has ended, and all work for it."""
        self._is_gone = True
        self._on_end(self._link)
        wake(self._gone)

    def __await__(self) -> Generator[object, None, None]:
        """Wait for the link's end."""
        if self._is_gone:
            return
        self._gone = asyncio.get_running_loop().create_future()
        try:
            yield from self._gone
        except BaseException:
            self._link.abort()
            raise


def see_served(serving: Awaitable[None], spawn: Spawn) -> None:
    """Have what ``serve_link`` answered run to its end, where it does not by itself."""
    if not isinstance(serving, ServedLink):
        spawn(_wait(serving))


async def _wait(serving: Awaitable[None]) -> None:
    await serving
