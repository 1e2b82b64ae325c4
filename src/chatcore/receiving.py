"""Receiving: how mail leaves its mailbox for a session (M3, M4, M7, M8)."""

from collections.abc import Sequence
from typing import Final

from chatcore.commands import Acknowledge
from chatcore.connections import Connection
from chatcore.delivery import DeliveryGoal, DeliveryTrigger
from chatcore.errors import Fenced, LoginRequired, Refusal, TooManyOperations
from chatcore.events import DeliveryFinished, Received, Started
from chatcore.fair_semaphore import FairSemaphore
from chatcore.ids import AccountId, Position
from chatcore.limits import Limits
from chatcore.ports import Clock
from chatcore.sessions import Session, Sessions
from chatcore.store import Store
from chatcore.telling import Telling

_READS_AT_ONCE: Final = 4
"""Sessions that read their mail from the store at a time: behind hundreds of them,
somebody's single message would wait for long (B2)."""


class Receiving:
    """Fetches mail for sessions, takes acknowledgements, tells senders of them."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        limits: Limits,
        clock: Clock,
        telling: Telling | None,
    ) -> None:
        self._telling = telling
        self._store = store
        self._sessions = sessions
        self._limits = limits
        self._reads = FairSemaphore(clock, at_once=_READS_AT_ONCE)

    def acknowledge(
        self, connection: Connection, commands: Sequence[Acknowledge]
    ) -> Sequence[Refusal | None]:
        """Move the window and let go of what was acknowledged (M4).

        All of them are one step for the store. Answers for each why it is refused, if
        it is: nobody is logged in here, or the position was not delivered.
        """
        session = self._sessions.of_connection(connection)
        if session is None:
            return [LoginRequired(command="acknowledge") for _ in commands]
        delivery = session.delivery
        before, counted = delivery.acknowledged, delivery.messages_acknowledged
        freed: dict[AccountId, list[Position]] = {}
        refusals: list[Refusal | None] = []
        for command in commands:
            try:
                more = delivery.acknowledge(Position(command.position))
            except Refusal as refusal:
                refusals.append(refusal.with_traceback(None))
                continue
            refusals.append(None)
            if not freed:
                freed = more
                continue
            for sender_id, positions in more.items():
                freed.setdefault(sender_id, []).extend(positions)
        connection.counters.acknowledged += delivery.messages_acknowledged - counted
        if delivery.acknowledged != before:
            self._let_go(connection, session, freed)
        return refusals

    def _let_go(
        self,
        connection: Connection,
        session: Session,
        freed: dict[AccountId, list[Position]],
    ) -> None:
        delivery = session.delivery
        self._store.acknowledge(
            session.account,
            session.epoch,
            delivery.acknowledged,
            (lambda: self._tell_senders(session, freed)) if freed else None,
        )
        self._finish_deliveries(connection, session)
        connection.advance()
        if delivery.wants_mail:
            connection.sink.wake()

    def _tell_senders(
        self, session: Session, freed: dict[AccountId, list[Position]]
    ) -> None:
        """Notify the senders that are here of what was acknowledged (M8)."""
        if self._telling is not None:
            self._telling.acknowledged(session, freed)
        for sender_id, positions in freed.items():
            sender = self._sessions.of_account(sender_id)
            if sender is not None and sender.connection is not None:
                sender.connection.notify(
                    Received(session.username, session.account, tuple(positions)),
                    most_waiting=self._limits.turn_commands,
                )

    async def deliver(
        self, connection: Connection, command_id: int, session: Session
    ) -> None:
        """Send what is queued now, and tell when it is acknowledged (M7)."""
        delivery = session.delivery
        if len(delivery.goals) >= self._limits.operations:
            raise TooManyOperations(maximum=self._limits.operations)
        mailbox = await self._store.mailbox(session.account)
        if session.connection is not connection:
            raise Fenced
        connection.emit(Started(command_id))
        delivery.goals.append(DeliveryGoal(mailbox.head, command_id, mailbox.queued))
        delivery.nudge(mailbox.head)
        delivery.change(DeliveryTrigger.ASKED)
        self._finish_deliveries(connection, session)
        connection.sink.wake()

    async def fetch(self, connection: Connection) -> None:
        """Read mail for a session that has fallen behind, as far as its window goes."""
        session = self._sessions.of_connection(connection)
        if session is None or not session.delivery.wants_mail:
            return
        delivery = session.delivery
        head, after = delivery.head, delivery.covered
        messages, body_bytes = delivery.room
        async with self._reads.acquired():
            mail = await self._store.read(
                session.account, after=after, messages=messages, body_bytes=body_bytes
            )
        if session.connection is not connection or delivery.covered != after:
            return
        events = delivery.take(mail, head=head)
        connection.counters.delivered += len(events)
        connection.emit(*events)
        if self._telling is not None:
            self._telling.delivered(session, events)
        self._finish_deliveries(connection, session)
        connection.advance()

    def _finish_deliveries(self, connection: Connection, session: Session) -> None:
        for goal in session.delivery.reached():
            if goal.command is not None:
                connection.emit(DeliveryFinished(goal.command, goal.messages))
