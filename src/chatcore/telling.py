"""Telling the application what became of messages, a batch at a time.

Only a chat that has somebody to tell has one of these: all others pay a look at None
for each batch, and nothing for a message.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from chatcore.events import Bounced, Delivered
from chatcore.ids import AccountId, Position, Username
from chatcore.message_events import (
    MailWaiting,
    MessageAcknowledged,
    MessageDelivered,
    MessageEvent,
    MessageStored,
)
from chatcore.model import Deposit
from chatcore.outbox import Webhooks
from chatcore.ports import MessageHandlers
from chatcore.sessions import Session, Sessions
from chatcore.store import DepositResult, Stored

MOST_TOLD: Final = 100_000
"""Of so many accounts it is known that they were told of as waiting; of the one that
was told of first it is forgotten then, and may be said once more."""


class NoHandlers:
    """Wants to know of nothing; see ``chatcore.ports.MessageHandlers``."""

    wanted: frozenset[type[MessageEvent]] = frozenset()
    dropped = 0

    def tell(self, events: Sequence[MessageEvent]) -> None:
        """See ``chatcore.ports.MessageHandlers``."""

    async def run(self) -> None:
        """See ``chatcore.ports.MessageHandlers``."""

    async def finish(self) -> None:
        """See ``chatcore.ports.MessageHandlers``."""


class Telling:
    """Tells handlers, where they want to know, and wakes who sends webhooks."""

    def __init__(
        self,
        handlers: MessageHandlers,
        sessions: Sessions,
        webhooks: Webhooks | None = None,
        *,
        most_told: int = MOST_TOLD,
    ) -> None:
        self._most_told = most_told
        self._handlers = handlers
        self._webhooks = webhooks
        self._sessions = sessions
        wanted = handlers.wanted
        self._wants_stored = MessageStored in wanted
        self._wants_delivered = MessageDelivered in wanted
        self._wants_acknowledged = MessageAcknowledged in wanted
        self._wants_waiting = MailWaiting in wanted

    def stored(
        self,
        sender: Username,
        deposits: Sequence[Deposit],
        results: Sequence[DepositResult | Exception],
    ) -> None:
        """Tell of what was just committed, and handed to who is here."""
        new = [
            (deposit, result)
            for deposit, result in zip(deposits, results, strict=True)
            if isinstance(result, Stored) and result.new
        ]
        if not new:
            return
        if self._webhooks is not None:
            self._webhooks.wake()
        tell = self._handlers.tell
        if self._wants_stored:
            tell(
                [
                    MessageStored(
                        sender,
                        deposit.sender_id,
                        deposit.recipient,
                        result.recipient_id,
                        result.position,
                        deposit.body,
                        result.sent_at_ms,
                    )
                    for deposit, result in new
                ]
            )
        if self._wants_delivered:
            delivered = [
                MessageDelivered(
                    sender,
                    deposit.sender_id,
                    deposit.recipient,
                    result.recipient_id,
                    result.position,
                )
                for deposit, result in new
                if self._has_got(result)
            ]
            if delivered:
                tell(delivered)
        if self._wants_waiting:
            latest = {it.recipient_id: (name.recipient, it) for name, it in new}
            self._tell_waiting(
                [
                    MailWaiting(name, account, it.position)
                    for account, (name, it) in latest.items()
                    if not self._is_online(account)
                ]
            )

    def delivered(
        self, session: Session, events: Sequence[Delivered | Bounced]
    ) -> None:
        """Tell of mail that was read from the store for a link."""
        if not self._wants_delivered:
            return
        delivered = [
            MessageDelivered(
                it.sender, it.sender_id, session.username, session.account, it.position
            )
            for it in events
            if isinstance(it, Delivered)
        ]
        if delivered:
            self._handlers.tell(delivered)

    def acknowledged(
        self, session: Session, freed: Mapping[AccountId, Sequence[Position]]
    ) -> None:
        """Tell of messages, at least one, whose acknowledgement is committed."""
        if not self._wants_acknowledged:
            return
        name, account = session.username, session.account
        self._handlers.tell(
            [
                MessageAcknowledged(sender_id, name, account, position)
                for sender_id, positions in freed.items()
                for position in positions
            ]
        )

    def link_lost(self, session: Session) -> None:
        """Tell of mail that its owner has not acknowledged, and cannot any more."""
        delivery = session.delivery
        if self._wants_waiting and delivery.head > delivery.acknowledged:
            waiting = MailWaiting(session.username, session.account, delivery.head)
            self._tell_waiting([waiting])

    def _tell_waiting(self, waiting: Sequence[MailWaiting]) -> None:
        told = self._sessions.told_of_mail
        new = [it for it in waiting if it.account not in told]
        for it in new:
            told[it.account] = None
            if len(told) > self._most_told:
                del told[next(iter(told))]
        if new:
            self._handlers.tell(new)

    def _is_online(self, account: AccountId) -> bool:
        session = self._sessions.of_account(account)
        return session is not None and session.is_attached

    def _has_got(self, result: Stored) -> bool:
        """Whether a message that was just stored has gone straight to its recipient."""
        session = self._sessions.of_account(result.recipient_id)
        return (
            session is not None
            and session.connection is not None
            and not session.connection.is_over
            and session.delivery.delivered >= result.position
        )
