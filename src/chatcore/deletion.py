"""Deletion of an account: one decision, abortable until its commit (D1 to D6).

With ``InboxAction.DELIVER`` waiting mail is delivered first, then the mailbox closes,
what came meanwhile is delivered too, and only then the account goes, in one commit.
Until that commit a lost link, or a requester that stops acknowledging, leaves the
account whole. After it the clean-up (bounces, retractions) runs to its end whatever
happens: the store keeps what is left of it.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from chatcore.accounts import Accounts
from chatcore.claims import Evidence
from chatcore.clean_ups import CleanUps
from chatcore.closing_mailboxes import ClosingMailboxes
from chatcore.commands import Delete, InboxAction, OutboxAction
from chatcore.connections import Connection
from chatcore.delivery import DeliveryGoal, DeliveryTrigger
from chatcore.erasures import Erasures
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    DeletionStalled,
    Fenced,
    KeyReused,
    MailboxNotEmpty,
    OtherAccount,
    Outage,
    Refusal,
    TooManyOperations,
)
from chatcore.events import Deleted, Started
from chatcore.ids import NO_KEY, AccountId, Epoch, IdempotencyKey, Username
from chatcore.key_clock import KeyClock
from chatcore.keys import parse_key, refuse_outside
from chatcore.limits import Limits
from chatcore.logins import Logins, SecondLogin
from chatcore.model import Account, AuditAction, AuditEvent, DeletionReceipt
from chatcore.ports import Environment
from chatcore.sessions import Session, Sessions
from chatcore.store import Store
from chatcore.surveys import survey

_ATTEMPTS: Final = 3
"""How often an operator's deletion is tried that a login comes in between of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One deletion under way: what was asked, by whom, where the answer goes."""

    connection: Connection
    id: int
    command: Delete
    key: IdempotencyKey
    session: Session
    opened_here: bool


class Deletion:
    """Decides deletions, and answers them once they are carried out."""

    def __init__(  # noqa: PLR0913  # the parts that it ties together
        self,
        store: Store,
        sessions: Sessions,
        accounts: Accounts,
        logins: Logins,
        environment: Environment,
        limits: Limits,
        key_clock: KeyClock,
        *,
        erasures: Erasures,
        clean_ups: CleanUps,
        closing: ClosingMailboxes,
    ) -> None:
        self._clean_ups = clean_ups
        self._closing = closing
        self._erasures = erasures
        self._key_clock = key_clock
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._logins = logins
        self._environment = environment
        self._limits = limits

    async def begin(
        self, connection: Connection, command_id: int, command: Delete
    ) -> None:
        """Check who asks (D1), answer "started", and run the rest as an operation."""
        username = self._accounts.prepare(command.username)
        own = self._sessions.of_connection(connection)
        if own is not None and own.username != username:
            raise OtherAccount(username=own.username)
        if own is not None and own.is_deleting:
            raise TooManyOperations(maximum=1)
        key = parse_key(command.key)
        evidence = connection.evidence(password=command.password, proof=command.proof)
        if key and await self._answer_again(
            connection, command_id, username, evidence, key
        ):
            return
        refuse_outside(
            key, self._key_clock.span(), lifetime_ms=self._limits.key_lifetime_ms
        )
        account = await self._accounts.authenticate(username, evidence)
        if self._sessions.of_connection(connection) is not own:
            raise Fenced  # it went to another link while the password was checked
        if command.dry_run:
            self._refuse_when_attached_elsewhere(account, own)
            receipt = await self._survey(account.id, command.inbox, command.outbox)
            connection.emit(Started(command_id), Deleted(command_id, receipt))
            return
        session = own
        if session is None:
            session, _, _ = await self._logins.open(
                connection, account, pushes=False, second_login=SecondLogin.REJECT
            )
        session.is_deleting = True
        connection.emit(Started(command_id))
        connection.sink.start(
            self._run(
                _Request(
                    connection=connection,
                    id=command_id,
                    command=command,
                    key=key,
                    session=session,
                    opened_here=own is None,
                )
            )
        )

    def _refuse_when_attached_elsewhere(
        self, account: Account, own: Session | None
    ) -> None:
        """A dry run changes nothing, so it does not even ping the other one."""
        session = self._sessions.of_account(account.id)
        if session is not None and session is not own and session.is_attached:
            raise AccountInUse(username=account.username)

    async def _survey(
        self, account: AccountId, inbox: InboxAction, outbox: OutboxAction
    ) -> DeletionReceipt:
        limits = self._limits
        found = await survey(
            self._store,
            account,
            bounce_messages=limits.bounce_positions,
            page=limits.cleanup_rows,
        )
        discards = inbox is InboxAction.DISCARD
        retracts = outbox is OutboxAction.RETRACT
        return DeletionReceipt(
            dry_run=True,
            delivered=0 if discards else found.inbox_messages,
            discarded=found.inbox_messages if discards else 0,
            bounces=found.bounces if discards else 0,
            kept=0 if retracts else found.outbox_messages,
            retracted=found.outbox_messages if retracts else 0,
        )

    async def _answer_again(
        self,
        connection: Connection,
        command_id: int,
        username: Username,
        evidence: Evidence,
        key: IdempotencyKey,
    ) -> bool:
        """Answer a repeat as the first time (D6); False when the key is new."""
        first = await self._store.first_use(key)
        if first is None:
            return False
        await self._accounts.verify(first, evidence)
        if not first.is_deletion or first.username != username:
            raise KeyReused
        connection.emit(Started(command_id))
        connection.sink.start(self._finish(connection, command_id, first.account))
        return True

    async def delete_for_operator(
        self,
        account: Account,
        *,
        inbox: InboxAction,
        outbox: OutboxAction,
        dry_run: bool,
    ) -> DeletionReceipt:
        """Delete an account that nobody has logged in to for that; the receipt.

        See ``chatcore.admin.Admin.delete_account``.
        """
        delivers = inbox is InboxAction.DELIVER
        if delivers:
            await self._refuse_mail(account)
        if dry_run:
            return await self._survey(account.id, inbox, outbox)
        try:
            if delivers:
                with self._closing.closed(account.username):
                    await self._decide_for_operator(account, inbox, outbox)
            else:
                await self._decide_for_operator(account, inbox, outbox)
        except Outage:
            self._clean_ups.look_again()
            raise
        return await self._clean_ups.finish(account.id)

    async def _decide_for_operator(
        self, account: Account, inbox: InboxAction, outbox: OutboxAction
    ) -> None:
        for _ in range(_ATTEMPTS):
            if inbox is InboxAction.DELIVER:
                await self._refuse_mail(account)
            if await self._seize_and_commit(account, inbox, outbox):
                return
        raise AccountInUse(username=account.username)

    async def _refuse_mail(self, account: Account) -> None:
        mailbox = await self._store.mailbox(account.id)
        if mailbox.queued:
            raise MailboxNotEmpty(username=account.username, queued=mailbox.queued)

    async def _seize_and_commit(
        self, account: Account, inbox: InboxAction, outbox: OutboxAction
    ) -> bool:
        """Whether the deletion is decided; not when somebody came in between."""
        epoch = await self._logins.seize(account, CloseCode.ACCOUNT_DELETED)
        return epoch is not None and await self._commit(
            account.id, epoch, inbox, outbox, delivered=0, key=NO_KEY
        )

    async def _commit(
        self,
        account: AccountId,
        epoch: Epoch,
        inbox: InboxAction,
        outbox: OutboxAction,
        *,
        delivered: int,
        key: IdempotencyKey,
    ) -> bool:
        """Decide it, for whoever asked; False where the store says it cannot be."""
        return await self._erasures.delete_account(
            account,
            epoch,
            discard=inbox is InboxAction.DISCARD,
            retract=outbox is OutboxAction.RETRACT,
            delivered=delivered,
            key=key,
            at_ms=self._environment.clock.now_ms(),
        )

    async def _run(self, request: _Request) -> None:
        """Deliver or discard, decide, clean up, answer; or leave the account whole."""
        try:
            await self._decide(request)
        except Refusal as refusal:
            # The store may have decided it without saying so.
            if isinstance(refusal, Outage):
                self._clean_ups.look_again()
            await self._leave_whole(request)
            request.connection.refuse_later(request.id, refusal)
            self._audit(request, refusal)
            return
        session = request.session
        self._audit(request)
        if self._sessions.of_account(session.account) is session:
            self._sessions.end(session)
        await self._finish(request.connection, request.id, session.account)

    def _audit(self, request: _Request, refusal: Refusal | None = None) -> None:
        """Have it recorded what became of the account."""
        self._environment.observer.audit(
            AuditEvent(
                action=AuditAction.DELETE,
                origin=request.connection.origin,
                username=request.session.username,
                account=request.session.account,
                refusal=refusal,
            )
        )

    async def _decide(self, request: _Request) -> None:
        before = request.session.delivery.messages_acknowledged
        if request.command.inbox is InboxAction.DISCARD:
            await self._commit_request(request, before)
            return
        await self._deliver_all(request)
        with self._closing.closed(request.session.username):
            await self._deliver_all(request)
            await self._commit_request(request, before)

    async def _commit_request(self, request: _Request, before: int) -> None:
        """Decide it, once nothing waits that is to be delivered."""
        session, command = request.session, request.command
        delivery = session.delivery
        acknowledged = delivery.acknowledged
        while not await self._commit(
            session.account,
            session.epoch,
            command.inbox,
            command.outbox,
            delivered=delivery.messages_acknowledged - before,
            key=request.key,
        ):
            # What gets into a closed mailbox is delivered as well: bounces, each from
            # another account's deletion, and what was on its way. So this ends.
            self._check_link(request)
            await self._deliver_all(request)
            if delivery.acknowledged == acknowledged:
                # So it was no mail: the store has the account under a later epoch.
                raise Fenced
            acknowledged = delivery.acknowledged

    async def _deliver_all(self, request: _Request) -> None:
        """Return once all that is queued now is acknowledged (D2)."""
        session, connection = request.session, request.connection
        delivery = session.delivery
        mailbox = await self._store.mailbox(session.account)
        self._check_link(request)
        if not delivery.pushes:
            delivery.goals.append(DeliveryGoal(mailbox.head, None, mailbox.queued))
        delivery.nudge(mailbox.head)
        delivery.change(DeliveryTrigger.ASKED)
        connection.sink.wake()
        while not delivery.has_settled(mailbox.head):
            seen = delivery.acknowledged
            if connection.is_silent and delivery.delivered > seen:
                raise DeletionStalled(seconds=0)
            moved = await connection.progress(within_s=self._limits.deletion_stall_s)
            self._check_link(request)
            if not moved and delivery.acknowledged == seen:
                raise DeletionStalled(seconds=int(self._limits.deletion_stall_s))

    def _check_link(self, request: _Request) -> None:
        """Raise when the session is not this connection's any more."""
        held = self._sessions.of_connection(request.connection)
        if request.connection.is_over or held is not request.session:
            raise Fenced

    async def _leave_whole(self, request: _Request) -> None:
        """Undo what a deletion that was not decided has begun."""
        session = request.session
        session.is_deleting = False
        if (
            request.opened_here
            and self._sessions.of_account(session.account) is session
        ):
            self._sessions.end(session)
            with suppress(Outage):  # nobody knows its token
                await self._store.end_session(session.account, session.epoch)

    async def _finish(
        self, connection: Connection, command_id: int, account: AccountId
    ) -> None:
        """Run the clean-up to its end and answer with the receipt (D5)."""
        try:
            receipt = await self._clean_ups.finish(account)
            connection.emit(Deleted(command_id, receipt))
        except Outage as outage:
            connection.refuse_later(command_id, outage)
