"""What a client has received, handed over and acknowledged (M3, M5).

Nothing here waits. Whatever links, sessions and servers come and go below it, each
piece of mail is handed over once, in order. What a server may have on its way without
acknowledgement is bounded by its window (W8), and so is what is kept here: at most what
one link brings on top of what the one before it has left.
"""

from collections import deque
from typing import Final

from chatcore.events import Bounced, Delivered
from chatcore.ids import BEFORE_FIRST, Position
from chatcore.limits import MIB
from transports.client.errors import LinkFailed, MailMissing, WindowExceeded

MOST_BYTES: Final = 16 * MIB
"""What one link may bring before any of it is read, at most; a server's window is
512 KiB where nobody has changed it."""

_PIECE_BYTES: Final = 64
_NAMED_BYTES: Final = 40


class Inbox:
    """One account's mail in one client process.

    Attributes:
        follows: what the next delivery on this link follows.
        last_seen: the highest position received; what a resume names.
        handed: the highest position handed over.
        acknowledged: the highest position whose acknowledgement was asked for.
    """

    def __init__(self) -> None:
        self._waiting: deque[Delivered | Bounced] = deque()
        self._bytes = 0
        self._window = 0
        self._most = 0
        self._most_bytes = 0
        self.follows = BEFORE_FIRST
        self.last_seen = BEFORE_FIRST
        self.handed = BEFORE_FIRST
        self.acknowledged = BEFORE_FIRST

    def prepare(self) -> None:
        """Make room for a new link's mail, before ``last_seen`` is told to a server.

        Where more than a window waits, which takes two links, it is dropped: it has
        not been acknowledged, and comes again.
        """
        if len(self._waiting) > self._window or self._bytes > MOST_BYTES:
            self._waiting.clear()
            self._bytes = 0
            self.last_seen = self.handed

    def begin(self, after: Position, *, window: int) -> None:
        """A session on a new link delivers what follows ``after``, so much of it
        without acknowledgement.
        """
        self._window = window
        self._most = len(self._waiting) + window
        self._most_bytes = self._bytes + MOST_BYTES
        self.follows = after
        self.last_seen = max(self.last_seen, after)

    def receive(self, mail: Delivered | Bounced) -> bool:
        """Keep mail that is new; False for what was had before.

        Raises:
            MailMissing: something between was lost on the way.
            WindowExceeded: nobody has read so much of what came before.
        """
        if mail.follows != self.follows:
            raise MailMissing(mail.follows, self.follows)
        if mail.position <= mail.follows:
            raise LinkFailed("A delivery stands before the one that it follows.")
        if mail.position > self.last_seen:
            if len(self._waiting) >= self._most or self._bytes >= self._most_bytes:
                raise WindowExceeded(self._window)
            self.last_seen = mail.position
            self._waiting.append(mail)
            self._bytes += _size(mail)
            self.follows = mail.position
            return True
        self.follows = mail.position
        return False

    def hand_over(self) -> Delivered | Bounced | None:
        """The next piece; asking for it acknowledges the one before (M5)."""
        self.acknowledge_handed()
        if not self._waiting:
            return None
        mail = self._waiting.popleft()
        self._bytes -= _size(mail)
        self.handed = mail.position
        return mail

    def acknowledge_handed(self) -> bool:
        """Acknowledge all that was handed over; whether that is news."""
        news = self.handed > self.acknowledged
        self.acknowledged = self.handed
        return news


def _size(mail: Delivered | Bounced) -> int:
    """About what it takes in memory: text that is not ASCII has up to 4 bytes each."""
    if isinstance(mail, Bounced):
        return _PIECE_BYTES + len(mail.recipient) + _NAMED_BYTES * len(mail.positions)
    body = mail.body
    chars = len(body) if body.isascii() else 4 * len(body)
    return _PIECE_BYTES + len(mail.sender) + chars
