"""Real conversations, message by message between two people, as fast as they come.

They are the Chit-Chat dataset's (BYU PCCL, MIT licence): the sample that comes with
chatcore, or the dataset itself where it is installed and more conversations are asked
for than the sample has. Each pair has one conversation after the other, from the first
again after the last; of each at most ``in_flight`` messages are under way, in either
direction. Texts and their order are real, thinking times are left out.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle, islice

import msgspec

from chatapp.conversations import (
    Conversation,
    has_dataset,
    read_dataset,
    read_sample,
)
from chatbench.loads.pairs import Lane
from chatbench.loads.rounds import Round, in_turns
from chatbench.wire.base import Arrival


class Line(msgspec.Struct, frozen=True):
    """One message: by the first or the second of the two who talk."""

    speaker: int
    text: str


def conversations(most: int | None = None) -> list[list[Line]]:
    """The first so many, or all of the sample; empty messages are left out."""
    found = read_sample()
    if most is not None and most > len(found) and has_dataset():
        found = read_dataset(most)
    return [lines for it in found[:most] if (lines := _lines(it))]


def _lines(conversation: Conversation) -> list[Line]:
    """Who speaks first is 0; anybody else is 1."""
    said = [
        (turn.sender, text)
        for turn in conversation.turns
        for text in turn.texts
        if text
    ]
    return [Line(int(sender != said[0][0]), text) for sender, text in said]


class Talk:
    """Two sessions that talk, each a sender and a recipient."""

    def __init__(self, round_: Round, number: int, script: Iterator[Line]) -> None:
        self._round = round_
        self._names = (f"s{number}", f"r{number}")
        self._lanes = (Lane(round_, self._names[1]), Lane(round_, self._names[0]))
        self._script = script
        self.is_talking = True

    async def open(self) -> None:
        """Log both in."""
        out, back = self._lanes
        first = await self._round.open(self._names[0], partial(_take, out, back))
        second = await self._round.open(self._names[1], partial(_take, back, out))
        out.join(first, second)
        back.join(second, first)
        for lane in self._lanes:
            lane.on_delivered = self.say

    def say(self, messages: int) -> None:
        """Say the next messages, those of one speaker in a row in one batch."""
        if not self.is_talking:
            return
        texts: list[str] = []
        speaker = 0
        for line in islice(self._script, messages):
            if texts and line.speaker != speaker:
                self._lanes[speaker].send(texts)
                texts = []
            speaker = line.speaker
            texts.append(line.text)
        if texts:
            self._lanes[speaker].send(texts)


def _take(sending: Lane, receiving: Lane, arrival: Arrival) -> None:
    sending.take_receipts(arrival)
    receiving.take_bodies(arrival)


def _script(talks: Sequence[list[Line]], first: int) -> Iterator[Line]:
    """All lines of all conversations for ever, beginning with one of them."""
    for talk in islice(cycle(talks), first % len(talks), None):
        yield from talk


async def run(round_: Round) -> None:
    """Fill ``round_.sample``."""
    workload = round_.workload
    scripts = conversations(workload.count)
    apart = max(len(scripts) // workload.pairs, 1)
    talks = [
        Talk(round_, number, _script(scripts, number * apart))
        for number in range(workload.pairs)
    ]
    await in_turns([it.open for it in talks])
    for talk in talks:
        talk.say(max(workload.in_flight, 1))
    before, after = await round_.measure()
    for talk in talks:
        talk.is_talking = False
    await round_.settle()
    round_.tell(before, after)
