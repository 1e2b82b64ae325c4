"""The chat: what each command does, in one place (the rules are in its parts).

A driver attaches a connection, executes batches of commands on it, writes what appears
in its outbox, and fetches mail when the connection's session has fallen behind. It runs
``tick`` now and then. Nothing here waits for a clock or touches a socket.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from chatcore.accounts import Accounts
from chatcore.commands import (
    Acknowledge,
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    List,
    Login,
    Logout,
    Malformed,
    Pong,
    Request,
    Resume,
    Send,
    Unknown,
)
from chatcore.connections import Connection
from chatcore.deletion import Deletion
from chatcore.delivery import Delivery
from chatcore.errors import (
    AlreadyLoggedIn,
    CloseCode,
    LoginRequired,
    MalformedCommand,
    Refusal,
    TooManyOperations,
    UnknownCommand,
)
from chatcore.events import (
    LoggedOut,
    PasswordChanged,
    Started,
    Welcome,
)
from chatcore.ids import BEFORE_FIRST
from chatcore.keys import key_from_ms
from chatcore.limits import Limits
from chatcore.listing import Listing
from chatcore.logins import Logins, SecondLogin
from chatcore.model import Mailbox
from chatcore.patterns import compile_pattern
from chatcore.ports import (
    Credentials,
    Environment,
    Outlet,
    SendPolicy,
    Store,
)
from chatcore.receiving import Receiving
from chatcore.sending import Sending
from chatcore.sessions import Session, Sessions

_NOT_ASKED_YET: Final = Mailbox(acknowledged=BEFORE_FIRST, head=BEFORE_FIRST, queued=0)


class Chat:
    """One chat over one store.

    Args:
        store: where accounts and mail are kept; the chat does not close it.
        limits: the bounds of everything.
        second_login: what a login to an account in use does (S1).
        policy: the application's say before messages are stored.
        credentials: the application's own users; None for accounts of the chat's own.
    """

    def __init__(
        self,
        store: Store,
        *,
        limits: Limits | None = None,
        second_login: SecondLogin = SecondLogin.REJECT,
        policy: SendPolicy | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._store = store
        self._second_login = second_login
        self._policy = policy
        self._credentials = credentials
        self._sessions = Sessions(grace_s=self.limits.grace_s)
        self._connections: set[Connection] = set()
        self._forget_at_ms = 0

    async def start(self, environment: Environment) -> None:
        """Take up the sessions that an earlier run left (S6)."""
        self._environment = environment
        store, sessions, limits = self._store, self._sessions, self.limits
        self._sending = Sending(store, sessions, environment, limits, self._policy)
        self._accounts = Accounts(store, environment, limits, self._credentials)
        self._logins = Logins(
            store, sessions, self._accounts, environment, limits, self._second_login
        )
        self._receiving = Receiving(store, sessions, limits)
        self._listing = Listing(store, sessions, limits)
        self._deletion = Deletion(
            store, sessions, self._accounts, self._logins, environment, limits
        )
        now_s = environment.clock.monotonic_s()
        for stored in await store.sessions():
            sessions.add_detached(
                Session(
                    stored.account,
                    stored.username,
                    stored.epoch,
                    stored.token_hash,
                    # A resume tells it what the mailbox holds by then.
                    Delivery(_NOT_ASKED_YET, limits, pushes=True),
                ),
                now_s,
            )

    # ---- connections

    def attach(self, outlet: Outlet) -> Connection:
        """Begin to serve a link; the first event tells it the clock and limits."""
        limits = self.limits
        connection = Connection(outlet, self._environment.clock)
        self._connections.add(connection)
        connection.emit(
            Welcome(
                server_time_ms=self._environment.clock.now_ms(),
                frame_bytes=limits.frame_bytes,
                body_bytes=limits.body_bytes,
                pending_commands=limits.pending_commands,
                window_messages=limits.window_messages,
            )
        )
        if self._logins.is_stopping:
            connection.close(CloseCode.SHUTTING_DOWN)
        return connection

    def detach(self, connection: Connection) -> None:
        """The link is gone: its session waits for a resume (S3)."""
        self._connections.discard(connection)
        connection.lose()
        session = self._sessions.of_connection(connection)
        if session is not None:
            self._sessions.detach(session, self._environment.clock.monotonic_s())

    def session_of(self, connection: Connection) -> Session | None:
        """The session that a connection carries."""
        return self._sessions.of_connection(connection)

    async def stop(self) -> None:
        """Refuse new sessions, tell every peer to come back later, flush (W9)."""
        self._logins.is_stopping = True
        for connection in list(self._connections):
            connection.close(CloseCode.SHUTTING_DOWN)
        await self._store.flush()

    # ---- commands

    def acknowledge(
        self, connection: Connection, command_id: int, command: Acknowledge
    ) -> None:
        """Take an acknowledgement ahead of all other commands, without waiting (W7)."""
        self._receiving.acknowledge(connection, command_id, command)

    async def fetch(self, connection: Connection) -> None:
        """Read mail for a session that has fallen behind, as far as its window goes."""
        await self._receiving.fetch(connection)

    async def execute(
        self, connection: Connection, requests: Sequence[Request]
    ) -> None:
        """Carry out commands in order; their answers appear in the outbox in order.

        A run of sends is one store call. One batch at a time for each connection. It
        must not be cancelled: what it has committed would not be delivered.
        """
        index = 0
        while index < len(requests) and not connection.is_over:
            end = index + 1
            if isinstance(requests[index].command, Send):
                while end < len(requests) and isinstance(requests[end].command, Send):
                    end += 1
            try:
                await self._execute_run(connection, requests[index:end])
            except Refusal as refusal:
                connection.refuse(requests[index], refusal)
            index = end

    async def _send(self, connection: Connection, run: Sequence[Request]) -> None:
        session = self._sessions.of_connection(connection)
        if session is None:
            for request in run:
                connection.refuse(request, LoginRequired(command="send"))
        else:
            await self._sending.send(connection, session, run)

    async def _execute_run(
        self, connection: Connection, run: Sequence[Request]
    ) -> None:
        """Carry out one command, or several sends."""
        command_id, command = run[0]
        match command:
            case Create():
                self._logins.refuse_when_stopping()
                connection.emit(await self._accounts.create(command_id, command))
            case Login():
                await self._login(connection, command_id, command)
            case Resume():
                await self._resume(connection, command_id, command)
            case Delete():
                self._refuse_when_crowded(connection)
                await self._deletion.begin(connection, command_id, command)
            case Unknown():
                raise UnknownCommand(command=command.name)
            case Malformed():
                raise MalformedCommand(reason=command.reason)
            case Acknowledge():
                self.acknowledge(connection, command_id, command)
            case Pong():
                pass
            case Send():
                await self._send(connection, run)
            case Logout() | Deliver() | List() | ChangePassword():
                await self._execute_in_session(connection, command_id, command)
            case _:
                assert_never(command)

    async def _execute_in_session(
        self,
        connection: Connection,
        command_id: int,
        command: Logout | Deliver | List | ChangePassword,
    ) -> None:
        session = self._sessions.of_connection(connection)
        if session is None:
            raise LoginRequired(command=_name(command))
        match command:
            case Logout():
                await self._logins.logout(session)
                connection.emit(LoggedOut(command_id))
            case ChangePassword():
                await self._accounts.change_password(session, command)
                connection.emit(PasswordChanged(command_id))
            case Deliver():
                await self._receiving.deliver(connection, command_id, session)
            case List():
                self._refuse_when_crowded(connection)
                pattern = compile_pattern(
                    command.pattern, max_chars=self.limits.pattern_chars
                )
                connection.emit(Started(command_id))
                connection.outlet.start(
                    self._listing.stream(connection, command_id, command, pattern)
                )
            case _:
                assert_never(command)

    async def _login(
        self, connection: Connection, command_id: int, command: Login
    ) -> None:
        self._refuse_second_session(connection)
        connection.emit(await self._logins.login(connection, command_id, command))
        self._start_delivery(connection)

    async def _resume(
        self, connection: Connection, command_id: int, command: Resume
    ) -> None:
        self._refuse_second_session(connection)
        connection.emit(await self._logins.resume(connection, command_id, command))
        self._start_delivery(connection)

    def _start_delivery(self, connection: Connection) -> None:
        session = self._sessions.of_connection(connection)
        if session is not None:
            self._logins.start_delivery(session)
            connection.outlet.wake()

    def _refuse_second_session(self, connection: Connection) -> None:
        session = self._sessions.of_connection(connection)
        if session is not None:
            raise AlreadyLoggedIn(username=session.username)

    def _refuse_when_crowded(self, connection: Connection) -> None:
        if connection.operations >= self.limits.operations:
            raise TooManyOperations(maximum=self.limits.operations)

    # ---- time

    async def tick(self) -> None:
        """Do what time asks for: end sessions, continue clean-ups, forget old keys.

        Each call does a bounded amount; call it about once a second.
        """
        clock = self._environment.clock
        now_s = clock.monotonic_s()
        while (session := self._sessions.overdue(now_s)) is not None:
            await self._logins.logout(session)
        await self._deletion.continue_clean_ups()
        now_ms = clock.now_ms()
        if now_ms >= self._forget_at_ms:
            self._forget_at_ms = now_ms + self.limits.forget_every_ms
            await self._store.forget(key_from_ms(now_ms - self.limits.key_lifetime_ms))


def _name(command: Command) -> str:
    """A command as people know it: ``ChangePassword`` is "change password"."""
    name = type(command).__name__
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
