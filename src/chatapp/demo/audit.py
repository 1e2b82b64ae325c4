"""The audit of a replay: what was stored, what arrived, and how they differ.

A message is *from the queue* when its position is at or below the mailbox's head at the
login of the session that delivered it: it was stored before that session began. Every
other one is *live*.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from chatcore.ids import Position

_Pair: TypeAlias = tuple[str, str]
"""Sender and recipient."""


class _Entry(NamedTuple):
    """One message in one mailbox: its place there, and what it says."""

    position: Position
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a replay came to; ``seconds`` is from the first login to the last."""

    messages: int
    sent: int
    delivered_live: int
    delivered_from_queue: int
    refused: int
    lost: int
    duplicated: int
    out_of_order: int
    seconds: float

    @property
    def is_wrong(self) -> bool:
        """Whether anything was lost, repeated or out of order."""
        return bool(self.lost or self.duplicated or self.out_of_order)

    @property
    def delivered(self) -> int:
        """How many messages arrived."""
        return self.delivered_live + self.delivered_from_queue

    def as_json(self) -> dict[str, int | float]:
        """The figures by name."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}


class DeliveryAudit:
    """Takes down each receipt, refusal and delivery of a replay."""

    def __init__(self) -> None:
        self._sent: defaultdict[_Pair, list[_Entry]] = defaultdict(list)
        self._heard: defaultdict[_Pair, list[_Entry]] = defaultdict(list)
        self.refusals: Counter[int] = Counter()
        self.sent = 0
        self.live = 0
        self.from_queue = 0

    def note_sent(
        self, sender: str, recipient: str, position: Position, body: str
    ) -> None:
        """A receipt came: the message is stored."""
        self._sent[sender, recipient].append(_Entry(position, body))
        self.sent += 1

    def note_refused(self, code: int) -> None:
        """A message was refused, and is not expected anywhere."""
        self.refusals[code] += 1

    def note_heard(  # what a delivery consists of
        self,
        sender: str,
        recipient: str,
        position: Position,
        body: str,
        *,
        from_queue: bool,
    ) -> None:
        """The recipient's client handed a message over."""
        self._heard[sender, recipient].append(_Entry(position, body))
        if from_queue:
            self.from_queue += 1
        else:
            self.live += 1

    def stored(self, sender: str, recipient: str) -> int:
        """How many messages of this pair are stored."""
        return len(self._sent[sender, recipient])

    def heard(self, sender: str, recipient: str) -> int:
        """How many messages of this pair have arrived."""
        return len(self._heard[sender, recipient])

    def settle(self, *, messages: int, seconds: float) -> Figures:
        """Compare all that arrived with all that was stored."""
        lost = duplicated = out_of_order = 0
        for pair in self._sent.keys() | self._heard.keys():
            sent, heard = self._sent[pair], self._heard[pair]
            if sent == heard:
                continue
            counted_sent, counted_heard = Counter(sent), Counter(heard)
            lost += (counted_sent - counted_heard).total()
            # One that was never sent, or not so, is one too many as well.
            duplicated += (counted_heard - counted_sent).total()
            out_of_order += _inversions(sent, heard)
        return Figures(
            messages=messages,
            sent=self.sent,
            delivered_live=self.live,
            delivered_from_queue=self.from_queue,
            refused=self.refusals.total(),
            lost=lost,
            duplicated=duplicated,
            out_of_order=out_of_order,
            seconds=seconds,
        )


def _inversions(sent: Sequence[_Entry], heard: Sequence[_Entry]) -> int:
    """How often one arrived right after another that was sent later; repeats aside."""
    places = {entry: place for place, entry in enumerate(sent)}
    order = [places[entry] for entry in dict.fromkeys(heard) if entry in places]
    return sum(later < earlier for earlier, later in pairwise(order))
