"""How discarded messages are put into bounces (D4)."""

import unittest
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

from chatcore.bounces import bounces_for, look_ahead, next_chunks
from chatcore.ids import AccountId, Position
from tests.unit.chatcore.marks import rule

Inbox = list[tuple[AccountId, Position]]

SIZES = range(1, 8)


def inboxes() -> Iterator[Inbox]:
    """Of three senders with up to six messages each, in turns."""
    for counts in product((0, 1, 2, 6), repeat=3):
        senders = [
            sender for turn in range(6) for sender in range(3) if turn < counts[sender]
        ]
        yield sorted(
            (AccountId(sender), Position(position))
            for position, sender in enumerate(senders, 1)
        )


def messages_of(chunks: Sequence[tuple[AccountId, Sequence[Position]]]) -> Inbox:
    return [(sender, it) for sender, positions in chunks for it in positions]


class BouncesTest(unittest.TestCase):
    @rule("D4")
    def test_steps_take_everything_out_in_as_many_bounces_as_were_counted(
        self,
    ) -> None:
        for inbox, rows, bounce_messages in product(inboxes(), SIZES, SIZES):
            left, taken, bounces = list(inbox), list[tuple[AccountId, Position]](), 0

            while left:
                chunks = next_chunks(left, rows=rows, bounce_messages=bounce_messages)
                step = messages_of(chunks)
                self.assertTrue(0 < len(step) <= rows)
                self.assertTrue(all(len(it[1]) <= bounce_messages for it in chunks))
                taken += step
                bounces += len(chunks)
                del left[: len(step)]

            self.assertEqual(taken, inbox)
            counts = Counter(sender for sender, _ in inbox)
            names = min(rows, bounce_messages)
            self.assertEqual(
                bounces,
                sum(bounces_for(it, bounce_messages=names) for it in counts.values()),
            )

    def test_looking_ahead_is_enough_to_decide_a_step(self) -> None:
        for inbox, rows, bounce_messages in product(inboxes(), SIZES, SIZES):
            ahead = look_ahead(rows=rows, bounce_messages=bounce_messages)

            decided = next_chunks(
                inbox[:ahead], rows=rows, bounce_messages=bounce_messages
            )

            whole = next_chunks(inbox, rows=rows, bounce_messages=bounce_messages)
            self.assertEqual(decided, whole)
