"""Receiving: how mail leaves its mailbox for a session (M3, M4, M7, M8)."""

from chatcore.commands import Acknowledge
from chatcore.connections import Connection
from chatcore.delivery import Cause, Goal
from chatcore.errors import Fenced, LoginRequired, TooManyOperations
from chatcore.events import DeliveryFinished, Received, Started
from chatcore.ids import AccountId, Position
from chatcore.limits import Limits
from chatcore.sessions import Session, Sessions
from chatcore.store import Store


class Receiving:
    """Fetches mail for sessions, takes acknowledgements, tells senders of them."""

    def __init__(self, store: Store, sessions: Sessions, limits: Limits) -> None:
        self._store = store
        self._sessions = sessions
        self._limits = limits

    def acknowledge(self, connection: Connection, command: Acknowledge) -> None:
        """Move the window and let go of what was acknowledged (M4).

        Raises:
            Refusal: nobody is logged in here, or the position was not delivered.
        """
        session = self._sessions.of_connection(connection)
        if session is None:
            raise LoginRequired(command="acknowledge")
        delivery = session.delivery
        before = delivery.acknowledged
        freed = delivery.acknowledge(Position(command.position))
        if delivery.acknowledged == before:
            return
        self._store.acknowledge(
            session.account,
            session.epoch,
            delivery.acknowledged,
            (lambda: self._tell_senders(session, freed)) if freed else None,
        )
        self._finish_deliveries(connection, session)
        connection.advance()
        if delivery.wants_mail:
            connection.outlet.wake()

    def _tell_senders(
        self, session: Session, freed: dict[AccountId, list[Position]]
    ) -> None:
        """Notify the senders that are here of what was acknowledged (M8)."""
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
        delivery.goals.append(Goal(mailbox.head, command_id, mailbox.queued))
        delivery.nudge(mailbox.head)
        delivery.change(Cause.ASKED)
        self._finish_deliveries(connection, session)
        connection.outlet.wake()

    async def fetch(self, connection: Connection) -> None:
        """Read mail for a session that has fallen behind, as far as its window goes."""
        session = self._sessions.of_connection(connection)
        if session is None or not session.delivery.wants_mail:
            return
        delivery = session.delivery
        head, after = delivery.head, delivery.covered
        messages, body_bytes = delivery.room
        mail = await self._store.read(
            session.account, after=after, messages=messages, body_bytes=body_bytes
        )
        if session.connection is not connection or delivery.covered != after:
            return
        connection.emit(*delivery.take(mail, head=head))
        self._finish_deliveries(connection, session)
        connection.advance()

    def _finish_deliveries(self, connection: Connection, session: Session) -> None:
        for goal in session.delivery.reached():
            if goal.command is not None:
                connection.emit(DeliveryFinished(goal.command, goal.messages))
