"""Mailboxes that take no messages while their accounts are being deleted (D2).

They are closed for as long as this process says so: a store knows nothing of it. It
keeps the order of calls, though. What was on its way to a store when a mailbox closed
is there for whoever looks into it afterwards, or has come too late for the decision.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chatcore.ids import Username


class ClosingMailboxes:
    """The live accounts whose mailboxes are closed.

    Attributes:
        names: what they are called, and how many have closed each: the owner and the
            operator may both be deleting it.
    """

    def __init__(self) -> None:
        self.names: Counter[Username] = Counter()

    @contextmanager
    def closed(self, username: Username) -> Iterator[None]:
        """Have the mailbox closed while the block runs."""
        self.names[username] += 1
        try:
            yield
        finally:
            self.names[username] -= 1
            if not self.names[username]:
                del self.names[username]
