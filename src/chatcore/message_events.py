"""What an application is told of messages, after the commit; see ``MessageHandlers``.

A message is known by its recipient's account and the position in that mailbox: neither
is ever used again.
"""

from typing import NamedTuple, TypeAlias

from chatcore.ids import AccountId, Position, Username


class MessageStored(NamedTuple):
    """A new message is in its recipient's mailbox; a repeat under a key is none."""

    sender: Username
    sender_id: AccountId
    recipient: Username
    recipient_id: AccountId
    position: Position
    body: str
    sent_at_ms: int


class MessageDelivered(NamedTuple):
    """A message was given to its recipient's link; after a resume perhaps again."""

    sender: Username
    sender_id: AccountId
    recipient: Username
    recipient_id: AccountId
    position: Position


class MessageAcknowledged(NamedTuple):
    """A message's recipient has acknowledged it, and that is committed.

    Of the sender only the id is known by then.
    """

    sender_id: AccountId
    recipient: Username
    recipient_id: AccountId
    position: Position


class MailWaiting(NamedTuple):
    """Somebody who is offline has mail, of which ``position`` is the latest.

    It is said once, until the account has been online again.
    """

    username: Username
    account: AccountId
    position: Position


MessageEvent: TypeAlias = (
    MessageStored | MessageDelivered | MessageAcknowledged | MailWaiting
)
