"""All that a chat is to its users, on one page: what random users compare it with.

The n-th letter of a mailbox has position n and is never taken out of its list.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeAlias

from chatcore.model import DeletionReceipt


@dataclass(slots=True)
class ModelMessage:
    """A message, or a bounce of these positions in its ``sender``'s old mailbox."""

    sender: "Person"
    body: str = ""
    bounced: tuple[int, ...] = ()
    retracted: bool = False


@dataclass(slots=True, eq=False)
class Person:
    """An account, for ever."""

    id: int
    name: str
    password: str
    acknowledged: int = 0
    deleted: bool = False
    mail: list[ModelMessage] = field(default_factory=list)

    def waiting(self, after: int = 0) -> dict[int, ModelMessage]:
        """What is in the mailbox above ``after``, by position."""
        start = max(after, self.acknowledged)
        numbered = enumerate(self.mail[start:], start + 1)
        return {position: it for position, it in numbered if not it.retracted}

    def messages(self) -> dict[int, ModelMessage]:
        """``waiting``, without the bounces."""
        return {at: it for at, it in self.waiting().items() if not it.bounced}


FirstSend: TypeAlias = tuple[str, int, int]
"""What a key was used for, the body, and was answered, an account and a position."""


class Model:
    """Every account that ever was, the names in use, and the keys of sends.

    ``forgotten`` are keys that were used and have expired since.
    """

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.names: dict[str, Person] = {}
        self.keys: dict[tuple[int, str, bytes], FirstSend] = {}
        self.forgotten: set[tuple[int, str, bytes]] = set()

    def would_delete(
        self, owner: Person, *, discard: bool, retract: bool, bounce_messages: int
    ) -> tuple[DeletionReceipt, list[tuple[Person, ModelMessage]], list[ModelMessage]]:
        """A deletion's receipt, its bounces, and the letters it retracts."""
        lost: defaultdict[Person, list[int]] = defaultdict(list)
        for position, it in owner.messages().items():
            if it.sender is not owner and not it.sender.deleted:
                lost[it.sender].append(position)
        bounces = [
            (
                to,
                ModelMessage(owner, bounced=tuple(it[start : start + bounce_messages])),
            )
            for to, it in (lost.items() if discard else ())
            for start in range(0, len(it), bounce_messages)
        ]
        boxes = [it.messages().values() for it in self.names.values() if it != owner]
        sent = [letter for box in boxes for letter in box if letter.sender is owner]
        inbox, outbox = len(owner.messages()), len(sent)
        receipt = DeletionReceipt(
            delivered=inbox * (not discard),
            discarded=inbox * discard,
            bounces=len(bounces),
            kept=outbox * (not retract),
            retracted=outbox * retract,
        )
        return receipt, bounces, sent if retract else []
