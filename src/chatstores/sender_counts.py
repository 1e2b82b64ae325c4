"""Who holds how much of a crowded mailbox (B6), the same in every store.

To count a mailbox takes as long as it is full, and only a crowded one has to be
counted. So it is counted when it is found crowded, and the counts are kept in step
until half of its messages have gone: between two countings as many come or go as half
of what is counted, also in a mailbox that is crowded off and on.
"""

from collections.abc import Iterable

from chatcore.ids import AccountId


class SenderCounts:
    """How many messages each sender has in one mailbox. Senders that have none cost
    nothing.
    """

    __slots__ = ("_counts", "_least")

    def __init__(self, counts: Iterable[tuple[AccountId, int]]) -> None:
        self._counts = dict(counts)
        self._least = sum(self._counts.values()) // 2

    def of(self, sender: AccountId) -> int:
        """How many messages of this sender wait."""
        return self._counts.get(sender, 0)

    def add(self, sender: AccountId) -> None:
        """The sender has one more."""
        self._counts[sender] = self._counts.get(sender, 0) + 1

    def remove(self, sender: AccountId, messages: int = 1) -> None:
        """The sender has so many less."""
        left = self._counts[sender] - messages
        if left:
            self._counts[sender] = left
        else:
            del self._counts[sender]

    def remove_all(self, sender: AccountId) -> None:
        """The sender has none any more."""
        self._counts.pop(sender, None)

    def is_worth_keeping(self, messages: int) -> bool:
        """Whether a mailbox with so many messages should be kept in step with."""
        return messages > self._least
