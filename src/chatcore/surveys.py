"""Counting mail, from what a store tells of it: for the operator, and for dry runs."""

from collections.abc import Sequence
from typing import NamedTuple

from chatcore.bounces import bounces_for
from chatcore.ids import AccountId
from chatcore.model import BEFORE_ALL_MAIL, MailboxContents, Place, SenderShare
from chatcore.store import Store


class Survey(NamedTuple):
    """What a deletion would touch now (D5).

    ``bounces`` counts the notices that a discard would write.
    """

    inbox_messages: int
    bounces: int
    outbox_messages: int


def contents_of(shares: Sequence[SenderShare]) -> MailboxContents:
    """A mailbox in numbers."""
    return MailboxContents(
        messages=sum(it.messages for it in shares),
        bounces=sum(it.bounces for it in shares),
        body_bytes=sum(it.body_bytes for it in shares),
        senders=sum(it.messages > 0 for it in shares),
        oldest_at_ms=min((it.oldest_at_ms for it in shares), default=0),
    )


async def survey(
    store: Store, account: AccountId, *, bounce_messages: int, page: int
) -> Survey:
    """Count what a deletion would touch, what was sent ``page`` messages at a time.

    The inbox is counted at one moment, the rest when the walk comes by.
    """
    shares = await store.shares(account)
    sent = 0
    after: Place | None = BEFORE_ALL_MAIL
    while after is not None:
        places, after = await store.sent(account, after=after, messages=page)
        sent += len(places)
    return Survey(
        inbox_messages=sum(it.messages for it in shares),
        bounces=sum(
            bounces_for(it.messages, bounce_messages=bounce_messages)
            for it in shares
            # Who is deleted gets none, and neither does the account itself (D4).
            if not it.sender_deleted and it.sender != account
        ),
        outbox_messages=sent,
    )
