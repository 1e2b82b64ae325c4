"""The pages of one list between the link and its reader (L1).

A link is never left unread because of a list: all that the other commands wait for
comes over it too. So what a slow reader has no room for is dropped as it comes, and
asked for again, after the last name that was kept, once all that was kept is read.
"""

from collections import deque
from typing import Final

from chatcore.events import Listed
from chatcore.limits import MIB

MOST_PAGES: Final = 64
MOST_BYTES: Final = 4 * MIB
_ENTRY_BYTES: Final = 64


class PageBuffer:
    """Keeps at most ``MOST_PAGES`` pages, and one over ``MOST_BYTES`` of names.

    Attributes:
        is_cut: a page was dropped, and so is what follows it, until the list is asked
            again.
    """

    def __init__(self) -> None:
        self._kept: deque[Listed] = deque()
        self._bytes = 0
        self.is_cut = False

    def keep(self, page: Listed) -> bool:
        """Keep a page for the reader; False where it was dropped."""
        is_full = len(self._kept) >= MOST_PAGES or self._bytes >= MOST_BYTES
        if self.is_cut or is_full:
            self.is_cut = True
            return False
        self._kept.append(page)
        self._bytes += _size(page)
        return True

    def restart(self) -> None:
        """The list is asked again, after the last name that was kept."""
        self.is_cut = False

    def take(self) -> Listed | None:
        """The next page; None where none is kept."""
        if not self._kept:
            return None
        page = self._kept.popleft()
        self._bytes -= _size(page)
        return page


def _size(page: Listed) -> int:
    return sum(map(len, page.names)) + _ENTRY_BYTES * len(page.names)
