"""What a client has received, handed over and acknowledged (M3, M5).

Nothing here waits. Whatever links, sessions and servers come and go below it, each
piece of mail is handed over once, in order.
"""

from collections import deque

from chatcore.errors import ChatError
from chatcore.events import Bounced, Delivered
from chatcore.ids import BEFORE_FIRST, Position


class MailMissing(ChatError):
    """A delivery follows a position that this client never had.

    The link is given up, and the session resumed after what the client does have.
    """

    def __init__(self, follows: int, expected: int) -> None:
        self.follows = follows
        self.expected = expected
        super().__init__(f"A delivery follows {follows}, the last was {expected}.")


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
        self.follows = BEFORE_FIRST
        self.last_seen = BEFORE_FIRST
        self.handed = BEFORE_FIRST
        self.acknowledged = BEFORE_FIRST

    def begin(self, after: Position) -> None:
        """A session on a new link delivers what follows ``after``."""
        self.follows = after
        self.last_seen = max(self.last_seen, after)

    def receive(self, mail: Delivered | Bounced) -> bool:
        """Keep mail that is new; False for what was had before.

        Raises:
            MailMissing: something between was lost on the way.
        """
        if mail.follows != self.follows:
            raise MailMissing(mail.follows, self.follows)
        self.follows = mail.position
        if mail.position <= self.last_seen:
            return False
        self.last_seen = mail.position
        self._waiting.append(mail)
        return True

    def hand_over(self) -> Delivered | Bounced | None:
        """The next piece; asking for it acknowledges the one before (M5)."""
        self.acknowledge_handed()
        if not self._waiting:
            return None
        mail = self._waiting.popleft()
        self.handed = mail.position
        return mail

    def acknowledge_handed(self) -> bool:
        """Acknowledge all that was handed over; whether that is news."""
        news = self.handed > self.acknowledged
        self.acknowledged = self.handed
        return news
