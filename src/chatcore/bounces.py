"""How discarded messages are put into bounces (D4).

One bounce goes to one sender, so the messages are taken sender by sender. A step never
cuts a bounce short: what ``bounces_for`` has counted is what will be written, as long
as a step may take as many messages as a bounce may name.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from chatcore.ids import AccountId, Position
from chatcore.model import Chunk


def bounces_for(messages: int, *, bounce_messages: int) -> int:
    """How many bounces tell one sender of so many messages."""
    return -(-messages // bounce_messages)


def next_chunks(
    inbox: Iterable[tuple[AccountId, Position]], *, rows: int, bounce_messages: int
) -> Sequence[Chunk]:
    """The chunks of one step: at most ``rows`` messages, each chunk as full as it gets.

    Args:
        inbox: sender and position of messages, sorted. Of a longer inbox, its first
            ``look_ahead(...)`` are enough.
        rows: how many messages a step takes out at most; from 1.
        bounce_messages: how many positions a bounce names at most; from 1.
    """
    chunks: list[Chunk] = []
    left = rows
    for chunk in _chunks(inbox, min(rows, bounce_messages)):
        left -= len(chunk.positions)
        if left < 0:
            break
        chunks.append(chunk)
    return chunks


def look_ahead(*, rows: int, bounce_messages: int) -> int:
    """How much of an inbox decides the next step."""
    return rows + min(rows, bounce_messages)


def _chunks(inbox: Iterable[tuple[AccountId, Position]], size: int) -> Iterator[Chunk]:
    for sender, group in groupby(inbox, key=itemgetter(0)):
        positions = tuple(position for _, position in group)
        for start in range(0, len(positions), size):
            yield Chunk(sender, positions[start : start + size])
