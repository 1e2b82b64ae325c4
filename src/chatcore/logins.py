"""Logging in and out, and coming back (S1 to S4, S6, A4)."""

from enum import Enum
from hashlib import sha256
from typing import Final

from chatcore.accounts import Accounts
from chatcore.addresses import hash_address
from chatcore.claims import ClaimPurpose
from chatcore.commands import ChangePassword, DeliveryMode, Login, Prove, Resume
from chatcore.connections import Connection
from chatcore.delivery import Delivery, DeliveryTrigger
from chatcore.errors import (
    AccountInUse,
    AcknowledgedTooMuch,
    CloseCode,
    Fenced,
    InternalError,
    Refusal,
    SessionGone,
    ShuttingDown,
    TooManyOperations,
    WrongCredentials,
)
from chatcore.events import LoggedIn, PasswordChanged, Proved, Resumed
from chatcore.expiries import Expiries
from chatcore.ids import (
    NO_ADDRESS,
    AccountId,
    Epoch,
    Position,
    ResumeToken,
    TokenHash,
)
from chatcore.limits import Limits
from chatcore.model import Account, AuditAction, AuditEvent
from chatcore.ports import Environment
from chatcore.sessions import Session, Sessions
from chatcore.store import Store

_MS: Final = 1000


class SecondLogin(Enum):
    """What a login to an account that is in use does (S1)."""

    REJECT = "reject"
    REPLACE = "replace"


class Logins:
    """Opens, resumes and ends the sessions of accounts."""

    def __init__(  # the parts that it ties together
        self,
        store: Store,
        sessions: Sessions,
        accounts: Accounts,
        environment: Environment,
        limits: Limits,
        second_login: SecondLogin,
        expiries: Expiries,
    ) -> None:
        self._expiries = expiries
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._environment = environment
        self._limits = limits
        self._second_login = second_login
        # Accounts whose session is being opened: a second opener would fence the first.
        self._opening: set[AccountId] = set()
        self.is_stopping = False

    async def login(
        self, connection: Connection, command_id: int, command: Login
    ) -> tuple[Session, LoggedIn]:
        """Open the account's session on this connection (S1, S2, A4), and answer."""
        self.refuse_when_stopping()
        evidence = connection.evidence(password=command.password, proof=command.proof)
        source = self._sessions.source(connection)
        account, expires_s = await self._accounts.log_in(command, evidence, source)
        # From here to the answer nothing is waited for but the session itself: what
        # comes by itself comes after it.
        pushes = command.delivery is DeliveryMode.PUSH
        session, token, queued = await self.open(
            connection, account, pushes=pushes, second_login=self._second_login
        )
        self._audit(AuditAction.LOGIN, connection, session)
        return session, LoggedIn(
            id=command_id,
            account=account.id,
            username=account.username,
            token=token,
            queued=queued,
            acknowledged=session.delivery.acknowledged,
            grace_ms=int(self._limits.grace_s * _MS),
            expires_in_ms=self._expiries.watch(session, expires_s),
        )

    async def open(
        self,
        connection: Connection,
        account: Account,
        *,
        pushes: bool,
        second_login: SecondLogin,
    ) -> tuple[Session, ResumeToken, int]:
        """Open the account's session here: session, token, mail queued.

        The session that it had, if it may be ended, ends once this one is stored.

        Raises:
            AccountInUse: somebody who is alive has it (S1).
            WrongCredentials: it was deleted, or got another password, meanwhile.
        """
        if account.id in self._opening:
            raise AccountInUse(username=account.username)
        self._opening.add(account.id)
        try:
            code = await self._judge_older(account, second_login)
            token = ResumeToken(self._environment.entropy.token())
            token_hash = hash_token(token)
            opened = await self._store.open_session(
                account.id,
                token_hash,
                # It may have been changed since it was checked (A6).
                password_hash=account.password_hash,
                address=hash_address(account.id, connection.network),
                at_ms=self._environment.clock.now_ms(),
            )
            if opened is None:
                raise WrongCredentials
        finally:
            self._opening.discard(account.id)
        older = self._sessions.of_account(account.id)
        if older is not None:
            self._end(older, code)
        session = Session(
            account.id,
            account.username,
            opened.epoch,
            token_hash,
            Delivery(opened.mailbox, self._limits, pushes=pushes),
        )
        if connection.is_over:
            self._sessions.add_detached(session, self._environment.clock.monotonic_s())
        else:
            self._sessions.attach(session, connection)
        return session, token, opened.mailbox.queued

    async def _judge_older(
        self, account: Account, second_login: SecondLogin
    ) -> CloseCode:
        """What ends the session that the account has, if it may be ended (S1)."""
        session = self._sessions.of_account(account.id)
        connection = session.connection if session is not None else None
        if session is None or connection is None:
            return CloseCode.REPLACED
        if session.is_deleting:
            raise AccountInUse(username=account.username)
        if second_login is SecondLogin.REPLACE:
            return CloseCode.REPLACED
        silent_s = self._environment.clock.monotonic_s() - connection.heard_s
        if silent_s < self._limits.probe_s or await connection.probe(
            within_s=self._limits.probe_s
        ):
            raise AccountInUse(username=account.username)
        if session.connection is not connection and session.is_attached:
            # Its owner came back on another link while we waited.
            raise AccountInUse(username=account.username)
        return CloseCode.UNRESPONSIVE

    async def seize(self, account: Account, code: CloseCode) -> Epoch | None:
        """Fence and end the session that the account has, for the operator; the epoch
        from then on. None, and nothing is changed, when it is gone or has another
        password by now.
        """
        opened = await self._store.open_session(
            account.id,
            self.new_token_hash(),
            password_hash=account.password_hash,
            address=NO_ADDRESS,
            at_ms=self._environment.clock.now_ms(),
        )
        if opened is None:
            return None
        self.end_here(account.id, code)
        return opened.epoch

    def new_token_hash(self) -> TokenHash:
        """Of a token that nobody is told: it resumes nothing."""
        return hash_token(ResumeToken(self._environment.entropy.token()))

    def end_here(self, account: AccountId, code: CloseCode) -> None:
        """End what session the account has, and its link; the store knows it ended."""
        session = self._sessions.of_account(account)
        if session is not None:
            self._end(session, code)

    def _end(self, session: Session, code: CloseCode) -> None:
        """End a session here and its link with it; the store has its successor."""
        connection = session.connection
        self._sessions.end(session)
        if connection is not None:
            connection.close(code)

    async def resume(
        self, connection: Connection, command_id: int, command: Resume
    ) -> tuple[Session, Resumed]:
        """Attach a session to this connection, without a password (S3), and answer.

        Where the application keeps the users, it is asked whether this is still one.
        """
        self.refuse_when_stopping()
        token_hash = hash_token(ResumeToken(command.token))
        session = self._sessions.of_token(token_hash)
        if session is None:
            raise SessionGone
        expires_s = await self._ask_again(connection, session, command)
        self.refuse_when_stopping()
        opened = await self._store.resume_session(
            token_hash, last_seen=Position(command.last_seen)
        )
        if opened is None or self._sessions.of_token(token_hash) is not session:
            raise SessionGone
        if command.last_seen > opened.mailbox.head:
            # Nothing has changed (E2): the link that it has goes on.
            raise AcknowledgedTooMuch(
                position=command.last_seen, delivered=opened.mailbox.head
            )
        session.epoch = max(session.epoch, opened.epoch)
        session.delivery.rewind(opened.mailbox, Position(command.last_seen))
        if command.delivery is not None:
            session.delivery.pushes = command.delivery is DeliveryMode.PUSH
        older = session.connection
        self._sessions.attach(session, connection)
        if older is not None:
            older.close(CloseCode.RESUMED_ELSEWHERE)
        if connection.is_over:
            # It was lost while the store was asked: its end has passed unnoticed.
            self._sessions.detach(session, self._environment.clock.monotonic_s())
        return session, Resumed(
            id=command_id,
            account=session.account,
            username=session.username,
            queued=opened.mailbox.queued,
            last_seen=session.delivery.delivered,
            expires_in_ms=self._expiries.watch(session, expires_s),
        )

    async def _ask_again(
        self, connection: Connection, session: Session, command: Resume
    ) -> float | None:
        """When what is shown at a resume expires; None where it does not."""
        if not command.proof and not self._accounts.are_elsewhere:
            return None
        found = await self._accounts.identify(
            ClaimPurpose.RESUME,
            session.username,
            connection.evidence(proof=command.proof),
        )
        return found.expires_s

    def begin_to_prove(
        self, connection: Connection, command_id: int, session: Session, command: Prove
    ) -> None:
        """Have a new proof judged beside other commands, and answered then.

        Raises:
            TooManyOperations: another one is being judged.
        """
        if session.is_proving:
            raise TooManyOperations(maximum=1)
        session.is_proving = True
        connection.sink.start(self._prove(connection, command_id, session, command))

    async def _prove(
        self, connection: Connection, command_id: int, session: Session, command: Prove
    ) -> None:
        refusal: Refusal | None = None
        try:
            expires_in_ms = await self._renew(connection, session, command)
        except Refusal as refused:
            refusal = refused
        except Exception as error:  # noqa: BLE001  # a fault of the application's
            connection.sink.report(error)
            refusal = InternalError()
        else:
            connection.emit(Proved(command_id, expires_in_ms))
        finally:
            session.is_proving = False
        if refusal is not None:
            connection.refuse_later(command_id, refusal)
        self._audit(AuditAction.PROVE, connection, session, refusal)

    async def _renew(
        self, connection: Connection, session: Session, command: Prove
    ) -> int:
        """In how many ms the new proof expires; 0 where it does not."""
        found = await self._accounts.identify(
            ClaimPurpose.RENEWAL,
            session.username,
            connection.evidence(proof=command.proof),
        )
        if self._sessions.of_connection(connection) is not session:
            raise Fenced
        return self._expiries.watch(session, found.expires_s)

    async def change_password(
        self,
        connection: Connection,
        command_id: int,
        session: Session,
        command: ChangePassword,
    ) -> PasswordChanged:
        """Replace the password, and with it the token of this session (A6).

        Whoever else has the account by then, with a token that was stolen or a password
        that was the old one, is out.
        """
        token = ResumeToken(self._environment.entropy.token())
        token_hash = hash_token(token)
        epoch = await self._accounts.change_password(
            session, command, token_hash, connection.network
        )
        self._audit(AuditAction.CHANGE_PASSWORD, connection, session)
        current = self._sessions.of_account(session.account)
        if current is not session or session.connection is not connection:
            await self._store.end_session(session.account, epoch)
            # One of a later epoch was opened with the new password.
            if current is not None and current.epoch < epoch:
                self._end(current, CloseCode.PASSWORD_CHANGED)
            raise Fenced
        self._sessions.renew(session, token_hash, epoch)
        # What was acknowledged under the epoch before may not have been committed.
        self._store.acknowledge(session.account, epoch, session.delivery.acknowledged)
        return PasswordChanged(command_id, token)

    def _audit(
        self,
        action: AuditAction,
        connection: Connection,
        session: Session,
        refusal: Refusal | None = None,
    ) -> None:
        """Have it recorded what was done with the account."""
        self._environment.observer.audit(
            AuditEvent(
                action=action,
                origin=connection.origin,
                username=session.username,
                account=session.account,
                refusal=refusal,
            )
        )

    @staticmethod
    def start_delivery(session: Session) -> None:
        """Begin to push, once the login or resume is answered."""
        if session.delivery.pushes:
            session.delivery.change(DeliveryTrigger.ASKED)

    async def logout(self, session: Session) -> None:
        """End the session; the name is free for a login (S4).

        One that was resumed meanwhile, on another link, has not ended.
        """
        epoch = session.epoch
        await self._store.end_session(session.account, epoch)
        if (
            self._sessions.of_account(session.account) is session
            and session.epoch == epoch
        ):
            self._sessions.end(session)

    def refuse_when_stopping(self) -> None:
        """Refuse what opens or creates something while the server stops (W9)."""
        if self.is_stopping:
            raise ShuttingDown(retry_after_ms=self._limits.retry_after_ms)


def hash_token(token: ResumeToken) -> TokenHash:
    """What a store keeps of a token: enough to know it again, useless to a thief."""
    return TokenHash(sha256(token).digest())
