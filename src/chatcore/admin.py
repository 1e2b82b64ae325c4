"""What the operator may do: see who is there, and look after accounts.

Nothing here asks for an account's password, and nothing is counted or throttled: who
may call it is for the application to decide. Each is refused as a command is, with a
``Refusal`` that has changed nothing (E2).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from chatcore.accounts import Accounts
from chatcore.auditing import name_in_audit
from chatcore.commands import InboxAction, OutboxAction
from chatcore.deletion import Deletion
from chatcore.errors import (
    AccountInUse,
    AccountsElsewhere,
    CloseCode,
    LimitFixed,
    NameTaken,
    NoSuchAccount,
    Refusal,
)
from chatcore.ids import BEFORE_FIRST, NO_KEY, AccountId, Position, Username
from chatcore.invitations import Invitations
from chatcore.keys import ms_of_key
from chatcore.limits import DAY_MS, FIXED_LIMITS, Limits
from chatcore.logins import Logins
from chatcore.model import (
    BEFORE_ALL_MAIL,
    Account,
    AuditAction,
    AuditEvent,
    DeletionReceipt,
    Mail,
    Message,
    Origin,
    Place,
    SentMessage,
    SentPlace,
)
from chatcore.patterns import compile_pattern
from chatcore.ports import Environment
from chatcore.rate_limiter import Caller
from chatcore.reports import (
    AccountExport,
    AccountStatus,
    Invite,
    MailboxStatus,
    SessionStatus,
)
from chatcore.sessions import Session, Sessions
from chatcore.store import Store
from chatcore.surveys import contents_of

_MS: Final = 1000
OPERATOR: Final = Origin(transport="admin")
"""From where what is done here is recorded to have been asked."""
_COMMAND_LIMITS: Final = (
    "body_bytes",
    "password_max_bytes",
    "pattern_chars",
    "username_chars",
)
_EXPORTED_AT_ONCE: Final = 64
_ATTEMPTS: Final = 3
"""How often a change is tried that the account's owner comes in between of."""


class Admin:
    """Sees and changes what only the operator may.

    Attributes:
        invitations: those that there are.
    """

    def __init__(  # the parts that it ties together
        self,
        store: Store,
        sessions: Sessions,
        accounts: Accounts,
        logins: Logins,
        deletion: Deletion,
        environment: Environment,
        limits: Limits,
        limits_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._logins = logins
        self._deletion = deletion
        self._environment = environment
        self.invitations = Invitations(
            store, environment.clock, environment.entropy, limits
        )
        self._limits = limits
        self._limits_changed = limits_changed
        self._most_command_bytes = limits.command_bytes

    # ---- limits

    def change_limits(self, limits: Limits) -> None:
        """Have other limits from now on, for new and existing connections.

        What is under way ends as it began, and what clients were told they are told
        anew at their next welcome. Of what is there already nothing is dropped.

        Raises:
            LimitFixed: one of ``FIXED_LIMITS`` is another, or commands could be
                larger than they could when the server started; nothing was changed.
        """
        for name in sorted(FIXED_LIMITS):
            if getattr(limits, name) != getattr(self._limits, name):
                raise LimitFixed(limit=name, reason="it is set at the start")
        if limits.command_bytes > self._most_command_bytes:
            for name in _COMMAND_LIMITS:
                if getattr(limits, name) > getattr(self._limits, name):
                    most = self._most_command_bytes
                    reason = f"a command had at most {most} bytes at the start"
                    raise LimitFixed(limit=name, reason=reason)
        self._limits.follow(limits)
        self._limits_changed()

    # ---- sessions

    def sessions(self) -> Iterator[SessionStatus]:
        """Every session that was there when this was asked and has not ended, each as
        it is when its turn comes.
        """
        for session in self._sessions.all():
            if self._sessions.of_account(session.account) is session:
                yield self._status_of(session)

    def _status_of(self, session: Session) -> SessionStatus:
        connection = session.connection
        clock = self._environment.clock
        since_s = (
            self._sessions.detached_since_s(session)
            if connection is None
            else connection.opened_s
        )
        return SessionStatus(
            username=session.username,
            account=session.account,
            is_attached=connection is not None,
            transport="" if connection is None else connection.origin.transport,
            address="" if connection is None else connection.address,
            since_ms=clock.now_ms() - int((clock.monotonic_s() - since_s) * _MS),
            unacknowledged=session.delivery.unacknowledged,
            held_bytes=0 if connection is None else connection.sink.held_bytes,
        )

    async def end_session(self, username: str) -> bool:
        """End the account's session, and its link with a code that has a client not
        come back by itself (``SESSION_ENDED``); whether there was one.

        Its owner may log in again: to keep somebody out, reset the password.

        Raises:
            NoSuchAccount: nobody has this name.
        """
        account = await self._accounts.find(username)
        if self._sessions.of_account(account.id) is None:
            return False
        epoch = await self._logins.seize(account, CloseCode.SESSION_ENDED)
        if epoch is None:  # a password was changed meanwhile, by whoever has it
            return await self.end_session(username)
        await self._store.end_session(account.id, epoch)
        return True

    # ---- accounts

    async def accounts(
        self, pattern: str = ""
    ) -> AsyncIterator[Sequence[AccountStatus]]:
        """The accounts that match a pattern (L1), by code point, a page at a time.

        A page may be empty, and others should have a turn after each (B2).

        Raises:
            InvalidPattern: it is too long.
        """
        limits = self._limits
        compiled = compile_pattern(pattern, max_chars=limits.pattern_chars)
        after = ""
        while True:
            page = await self._store.names(
                prefix=compiled.prefix, after=after, limit=limits.walk_names
            )
            yield [
                self._account_status(account, name)
                for account, name in page
                if compiled.matches(name)
            ]
            if len(page) < limits.walk_names:
                return
            after = page[-1][1]

    def _account_status(self, account: AccountId, name: Username) -> AccountStatus:
        session = self._sessions.of_account(account)
        is_online = session is not None and session.is_attached
        return AccountStatus(username=name, account=account, is_online=is_online)

    async def create_account(self, username: str, password: str) -> AccountId:
        """Make an account, whoever else may (A3).

        Raises:
            AccountsElsewhere: the application keeps its users itself (A2).
            InvalidUsername, InvalidPassword, NameTaken, Busy: as for a ``create``.
        """
        with self._refusals_audited(AuditAction.CREATE, username):
            self._refuse_elsewhere("create")
            name = self._accounts.prepare(username)
            self._accounts.check_length(password)
            account = await self._accounts.make(
                name, password, NO_KEY, Caller(origin=OPERATOR)
            )
            if account is None:
                raise NameTaken(username=name)
            return account.id

    async def reset_password(self, username: str, password: str) -> None:
        """Give the account another password; its session and every token that was
        given before end with it (A6).

        Raises:
            AccountInUse: its owner has changed it in between, again and again.
            AccountsElsewhere: the application keeps its users itself (A2).
            InvalidPassword, NoSuchAccount, Busy: nothing was changed.
        """
        with self._refusals_audited(AuditAction.CHANGE_PASSWORD, username):
            await self._reset_password(username, password)

    async def _reset_password(self, username: str, password: str) -> None:
        self._refuse_elsewhere("reset password")
        self._accounts.check_length(password)
        account = await self._accounts.find(username)
        new_hash = await self._environment.passwords.hash(password, address="")
        for _ in range(_ATTEMPTS):
            epoch = await self._store.change_password(
                account.id,
                # It may not resume anything: nobody is told it.
                self._logins.new_token_hash(),
                old=account.password_hash,
                new=new_hash,
            )
            if epoch is not None:
                self._logins.end_here(account.id, CloseCode.PASSWORD_CHANGED)
                await self._store.end_session(account.id, epoch)
                self._audit(AuditAction.CHANGE_PASSWORD, account)
                return
            account = await self._accounts.find(username)
        raise AccountInUse(username=account.username)

    def _refuse_elsewhere(self, command: str) -> None:
        if self._accounts.are_elsewhere:
            raise AccountsElsewhere(command=command)

    async def delete_account(
        self,
        username: str,
        *,
        inbox: InboxAction = InboxAction.DISCARD,
        outbox: OutboxAction = OutboxAction.KEEP,
        dry_run: bool = False,
    ) -> DeletionReceipt:
        """Delete an account as its owner might, and end its session (D2 to D5).

        Nobody is there to take what waits: with ``InboxAction.DELIVER`` it is refused
        while there is anything.

        Raises:
            MailboxNotEmpty: with ``DELIVER``; nothing was changed.
            NoSuchAccount: nobody has this name.
            AccountInUse: somebody logs in, again and again.
            Outage: once decided it is carried out all the same.
        """
        with self._refusals_audited(AuditAction.DELETE, username):
            account = await self._accounts.find(username)
            receipt = await self._deletion.delete_for_operator(
                account, inbox=inbox, outbox=outbox, dry_run=dry_run
            )
        if not dry_run:
            self._audit(AuditAction.DELETE, account)
        return receipt

    @contextmanager
    def _refusals_audited(self, action: AuditAction, username: str) -> Iterator[None]:
        """Have it recorded when what the block does is refused."""
        try:
            yield
        except Refusal as refusal:
            self._environment.observer.audit(
                AuditEvent(
                    action=action,
                    origin=OPERATOR,
                    username=name_in_audit(username, refusal, self._accounts),
                    refusal=refusal,
                )
            )
            raise

    def _audit(self, action: AuditAction, account: Account) -> None:
        """Have it recorded what was done with an account."""
        self._environment.observer.audit(
            AuditEvent(
                action=action,
                origin=OPERATOR,
                username=account.username,
                account=account.id,
            )
        )

    async def invite(self, *, uses: int = 1, lifetime_ms: int = 7 * DAY_MS) -> Invite:
        """Make an invitation, for so many accounts and so long (A3, A4).

        Its code is told only here: the store keeps its hash.
        """
        return await self.invitations.make(uses=uses, lifetime_ms=lifetime_ms)

    async def export(
        self, username: str
    ) -> AsyncIterator[AccountExport | Mail | SentMessage]:
        """All that is kept about an account: what is kept about itself, the mail that
        waits for it, and what it has sent that is not acknowledged yet.

        Secrets are left out. It is no picture of one moment: what comes or goes
        meanwhile may be in it or not.

        Raises:
            NoSuchAccount: nobody has this name.
        """
        account = await self._accounts.find(username)
        record = await self._store.account_record(account.id)
        if record is None:
            raise NoSuchAccount(username=account.username)
        yield AccountExport(
            username=account.username,
            account=account.id,
            record=record,
            keys_since_ms=ms_of_key(await self._store.horizon()),
        )
        after = BEFORE_FIRST
        limits = self._limits
        while mail := await self._store.read(
            account.id,
            after=after,
            messages=limits.window_messages,
            body_bytes=limits.window_bytes,
        ):
            for piece in mail:
                yield piece
            after = mail[-1].position
        place: Place | None = BEFORE_ALL_MAIL
        while place is not None:
            page = await self._store.sent(
                account.id, after=place, messages=_EXPORTED_AT_ONCE
            )
            for it in page.places:
                sent = await self._sent_message(it)
                if sent is not None:
                    yield sent
            place = page.after

    async def _sent_message(self, place: SentPlace) -> SentMessage | None:
        """What is there; None when it was acknowledged or retracted meanwhile."""
        recipient, recipient_id, position = place
        mail = await self._store.read(
            recipient_id, after=Position(position - 1), messages=1, body_bytes=1
        )
        found = mail[0] if mail else None
        if isinstance(found, Message) and found.position == position:
            body, sent_at_ms = found.body, found.sent_at_ms
            return SentMessage(recipient, recipient_id, position, body, sent_at_ms)
        return None

    # ---- mail

    async def mailbox(self, username: str) -> MailboxStatus:
        """What waits for one account.

        Raises:
            NoSuchAccount: nobody has this name.
        """
        account = await self._accounts.find(username)
        return await self._mailbox_status(account.id, account.username)

    async def mailboxes(
        self, pattern: str = ""
    ) -> AsyncIterator[Sequence[MailboxStatus]]:
        """What waits for each account that matches a pattern, as ``accounts`` does.

        Raises:
            InvalidPattern: it is too long.
        """
        async for page in self.accounts(pattern):
            yield []
            for it in page:
                yield [await self._mailbox_status(it.account, it.username)]

    async def _mailbox_status(
        self, account: AccountId, username: Username
    ) -> MailboxStatus:
        return MailboxStatus(
            username=username,
            account=account,
            contents=contents_of(await self._store.shares(account)),
        )
