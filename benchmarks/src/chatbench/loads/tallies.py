"""What one sender has sent to one recipient, and what has become of each message.

A body begins with its number, 12 digits from 0 on, whatever protocol carries it. It is
compared as a whole with what was sent, so that loss, repetition, disorder and damage
are all seen, over the whole round and not only while it is measured.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Final

NUMBER_CHARS: Final = 12
_NEVER: Final = 2**63 - 1


class RoundTally:
    """What the ledgers of a round count together.

    Attributes:
        delivered: messages that came for the first time, so far.
        latencies: nanoseconds from (intended) send to delivery, of what was sent in the
            measured window, whenever it came.
        receipts: the same to the receipt.
        since_ns: when the window began, on the monotonic clock.
        until_ns: when it ended.
    """

    def __init__(self) -> None:
        self.delivered = 0
        self.latencies = array("q")
        self.receipts = array("q")
        self.since_ns = _NEVER
        self.until_ns = _NEVER


class PairTally:
    """One direction of one pair.

    Attributes:
        sent: how many messages so far.
        receipted: how many of them have a receipt.
        duplicated: how many came again.
        out_of_order: how many came after a later one.
    """

    __slots__ = (
        "_on_fault",
        "_sent_ns",
        "_tally",
        "_waiting",
        "_wanted",
        "duplicated",
        "out_of_order",
        "receipted",
        "sent",
    )

    def __init__(self, tally: RoundTally, on_fault: Callable[[str], None]) -> None:
        self._tally = tally
        self._on_fault = on_fault
        self._sent_ns = array("q")
        self._waiting: dict[int, str] = {}
        self._wanted = 0
        self.sent = 0
        self.receipted = 0
        self.duplicated = 0
        self.out_of_order = 0

    @property
    def missing(self) -> int:
        """How many were sent and have not come."""
        return len(self._waiting)

    @property
    def has_gap(self) -> bool:
        """Whether one that has not come was overtaken by one that has."""
        return next(iter(self._waiting), self._wanted) < self._wanted

    def send(self, texts: Iterable[str], times_ns: Iterable[int]) -> list[str]:
        """The bodies of these messages, which are from now on expected.

        ``times_ns`` tells when each was, or ought to have been, sent; it may go on
        after the last text.
        """
        bodies: list[str] = []
        number = self.sent
        for text, at_ns in zip(texts, times_ns):  # noqa: B905  # see above
            body = f"{number:0{NUMBER_CHARS}d}{text}"
            self._waiting[number] = body
            self._sent_ns.append(at_ns)
            bodies.append(body)
            number += 1
        self.sent = number
        return bodies

    def take_receipts(self, receipts: int, now_ns: int) -> None:
        """The next so many messages were accepted."""
        first, self.receipted = self.receipted, self.receipted + receipts
        if self.receipted > self.sent:
            self._on_fault("There are more receipts than messages.")
            return
        since_ns, until_ns = self._tally.since_ns, self._tally.until_ns
        for at_ns in self._sent_ns[first : self.receipted]:
            if since_ns <= at_ns < until_ns:
                self._tally.receipts.append(now_ns - at_ns)

    def take(self, bodies: Sequence[str], now_ns: int) -> int:
        """These were delivered; how many of them for the first time."""
        tally, waiting, sent_ns = self._tally, self._waiting, self._sent_ns
        since_ns, until_ns = tally.since_ns, tally.until_ns
        fresh = 0
        for body in bodies:
            number = self._wanted
            if waiting.get(number) == body:
                self._wanted = number + 1
            elif (number := self._explain(body)) < 0:
                continue
            del waiting[number]
            fresh += 1
            at_ns = sent_ns[number]
            if since_ns <= at_ns < until_ns:
                tally.latencies.append(now_ns - at_ns)
        tally.delivered += fresh
        return fresh

    def _explain(self, body: str) -> int:
        """The number of a body that is not the next one; -1 if it is not missing."""
        try:
            number = int(body[:NUMBER_CHARS])
        except ValueError:
            number = -1
        if not 0 <= number < self.sent:
            self._on_fault("A message came that was never sent.")
            return -1
        if number not in self._waiting:
            self.duplicated += 1
            return -1
        if self._waiting[number] != body:
            self._on_fault("A message came with another body.")
            return -1
        if number < self._wanted:
            self.out_of_order += 1
        else:
            self._wanted = number + 1
        return number
