"""Webhooks: where a store keeps them, and who sends them.

A store that can keep webhooks has an ``Outbox`` as its ``outbox``. Others need none: a
chat that is to send webhooks says so when it starts, and all other chats do not ask.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from chatcore.errors import ChatError
from chatcore.ids import AccountId, Position, Username
from chatcore.ports import Clock


class WebhooksNotKept(ChatError):
    """A chat is to send webhooks, and its store cannot keep them."""

    def __init__(self, *, store: str) -> None:
        super().__init__(
            f"The store {store} keeps no webhooks, so that some would be lost: choose "
            "one that does, such as sqlite:, or send none."
        )


class QueuedWebhook(NamedTuple):
    """What one target is to be told of one message.

    ``number`` names it in its store and is never used again; ``attempts`` is how often
    it was tried. ``body`` is the message's, None where it is not to be told.
    """

    number: int
    attempts: int
    sender_id: AccountId
    sender: Username
    recipient_id: AccountId
    recipient: Username
    position: Position
    sent_at_ms: int
    body: str | None


class Retry(NamedTuple):
    """A webhook that is to be tried again, not before then."""

    number: int
    due_at_ms: int


@runtime_checkable
class Outbox(Protocol):
    """Webhooks of a store's messages, from the commit of each message on.

    The guarantees of ``chatcore.store.Store`` hold for its methods.

    """

    @property
    def waiting(self) -> int:
        """How many there are that have not failed for good."""
        ...

    @property
    def failed(self) -> int:
        """How many are kept that have."""
        ...

    async def begin(
        self, targets: Sequence[str], *, with_body: bool, retry_failed: bool
    ) -> None:
        """From now on keep a webhook for each of these targets with each new message,
        in its own commit; ``with_body`` together with the message's body.

        What waits for a target that is not named has failed. With ``retry_failed``
        those that have failed before wait again, as if they had never been tried.

        From the commit of a deletion on, no webhook has the body of a message to that
        account any more; where it retracts, of none from it either. ``Store.forget``
        drops those that have failed and are older than the keys that it forgets.
        """
        ...

    async def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        """At most so many that wait for a target and are due, the first of them first.

        One that would be due only after ``longest_ms`` is due as well: the clock was
        wrong when that was written (B7). A new one is due when its message was sent.
        """
        ...

    async def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        """Drop what was sent, note the attempts that have failed, and keep as failed
        what is tried no more, in one commit. Doing it again for what is gone, or is
        settled, does nothing but count the attempts once more.
        """
        ...


class Webhooks(Protocol):
    """Sends webhooks; ``chatwebhooks.sender.HttpWebhooks`` does by HTTP."""

    @property
    def targets(self) -> Sequence[str]:
        """Who is told, as the outbox knows it."""
        ...

    @property
    def with_body(self) -> bool:
        """Whether the text of messages is told."""
        ...

    @property
    def retry_failed(self) -> bool:
        """Whether those that have failed in an earlier run are tried again."""
        ...

    def wake(self) -> None:
        """Take note that there are new ones; returns at once, and raises nothing."""
        ...

    async def run(self, outbox: Outbox, clock: Clock, identity: bytes) -> None:
        """Send what is in the outbox until this is cancelled; ``identity`` is the
        store's.
        """
        ...

    async def finish(self) -> None:
        """Begin no more, and return once what is under way is settled, or soon."""
        ...


def outbox_of(store: object) -> Outbox:
    """Where a store keeps webhooks; raises ``WebhooksNotKept``."""
    found: object = getattr(store, "outbox", None)
    if not isinstance(found, Outbox):
        raise WebhooksNotKept(store=type(store).__name__)
    return found
