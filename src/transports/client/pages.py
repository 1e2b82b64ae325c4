"""The pages of one list between the link and its reader (L1).

A link is never left unread because of a list: all that the other commands wait for
comes over it too. So what a slow reader has no room for is dropped as it comes, and
asked for again, after the last name that was kept, once all that was kept is read.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from chatcore.events import Listed
from chatcore.limits import MIB

MOST_PAGES: Final = 64
MOST_BYTES: Final = 4 * MIB
_ENTRY_BYTES: Final = 64


class Pages:
    """Keeps at most ``MOST_PAGES`` pages, and one over ``MOST_BYTES`` of names.

    Attributes:
        is_cut: a page was dropped, and so is what follows it.
    """

    def __init__(self, ask_again: Callable[[], None]) -> None:
        self._ask_again = ask_again
        self._kept: deque[Listed] = deque()
        self._bytes = 0
        self._is_over = False
        self._has_passed = False
        self._changed = asyncio.Event()
        self.is_cut = False

    def keep(self, page: Listed) -> bool:
        """Keep a page for the reader; False where it was dropped."""
        is_full = len(self._kept) >= MOST_PAGES or self._bytes >= MOST_BYTES
        if self.is_cut or is_full:
            self.is_cut = True
            return False
        self._kept.append(page)
        self._bytes += _size(page)
        self._changed.set()
        return True

    def restart(self) -> None:
        """The list was asked again, after the last name that was kept."""
        self.is_cut = self._has_passed = False

    def let_pass(self) -> None:
        """The list that was cut has come to its end; the reader may ask again."""
        self._has_passed = True
        self._changed.set()

    def finish(self) -> None:
        """No page comes any more."""
        self._is_over = True
        self._changed.set()

    async def next(self) -> Listed | None:
        """The next page; None after the last.

        Raises whatever asking again does.
        """
        while not self._kept:
            if self._is_over:
                return None
            if self._has_passed:
                self.restart()
                self._ask_again()
            self._changed.clear()
            await self._changed.wait()
        page = self._kept.popleft()
        self._bytes -= _size(page)
        return page


def _size(page: Listed) -> int:
    return sum(map(len, page.names)) + _ENTRY_BYTES * len(page.names)
