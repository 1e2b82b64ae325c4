"""Carrying out commands: which part of the chat does what, in order (W7, E2)."""

from collections.abc import Callable, Sequence
from typing import assert_never

from chatcore.auditing import event_of_refusal
from chatcore.commands import (
    Acknowledge,
    AlreadyRefused,
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
    Prove,
    Request,
    Resume,
    Send,
    Unknown,
    name_of,
    run_of_sends,
)
from chatcore.connections import Connection
from chatcore.errors import (
    AlreadyLoggedIn,
    InternalError,
    LoginRequired,
    MalformedCommand,
    Refusal,
    TooManyOperations,
    UnknownCommand,
)
from chatcore.events import LoggedIn, LoggedOut, Resumed, Started
from chatcore.limits import Limits
from chatcore.patterns import compile_pattern
from chatcore.rate_limiter import RateKind
from chatcore.services import Services
from chatcore.sessions import Sessions


class Execution:
    """Carries out the commands of connections.

    ``turn_commands`` says how many are dealt with before others have a turn (B2).
    """

    def __init__(
        self,
        services: Services,
        sessions: Sessions,
        limits: Limits,
        turn_commands: Callable[[Connection], int],
    ) -> None:
        self._services = services
        self._sessions = sessions
        self._limits = limits
        self._turn_commands = turn_commands

    async def execute(
        self, connection: Connection, requests: Sequence[Request]
    ) -> None:
        """See ``chatcore.Chat.execute``."""
        clock, turn_s = self._services.environment.clock, self._limits.turn_s
        index = began_at = 0
        ends_s = clock.monotonic_s() + turn_s
        while index < len(requests) and not connection.is_over:
            most = self._turn_commands(connection)
            if index and (index - began_at >= most or clock.monotonic_s() >= ends_s):
                await connection.sink.give_way()
                began_at = index
                ends_s = clock.monotonic_s() + turn_s
            run = run_of_sends(requests, index, most)
            index += await self._execute_run(connection, run)

    async def _execute_run(self, connection: Connection, run: Sequence[Request]) -> int:
        """Carry out one command, or several sends; how many were answered.

        A fault of ours, or of the application's policy, is answered to the command that
        met it.
        """
        try:
            if isinstance(run[0].command, Send):
                return await self._send(connection, run)
            await self._execute_one(connection, *run[0])
        except Refusal as refusal:
            connection.refuse(run[0], refusal)
            self._audit_refusal(connection, run[0].command, refusal)
        except Exception as error:  # noqa: BLE001  # one command's fault ends no other
            connection.sink.report(error)
            for request in run:
                connection.refuse(request, InternalError())
        return len(run)

    def _audit_refusal(
        self, connection: Connection, command: Command, refusal: Refusal
    ) -> None:
        """Have it recorded when it was something that takes a password."""
        services = self._services
        session = self._sessions.of_connection(connection)
        event = event_of_refusal(
            command, refusal, connection.origin, session, services.accounts
        )
        if event is not None:
            services.environment.observer.audit(event)

    async def _send(self, connection: Connection, run: Sequence[Request]) -> int:
        session = self._sessions.of_connection(connection)
        if session is not None:
            return await self._services.sending.send(connection, session, run)
        for request in run:
            connection.refuse(request, LoginRequired(command="send"))
        return len(run)

    async def _execute_one(
        self, connection: Connection, command_id: int, command: Command
    ) -> None:
        """Carry out one command that is no send."""
        match command:
            case Create():
                self._services.logins.refuse_when_stopping()
                source = self._sessions.source(connection)
                connection.emit(
                    await self._services.accounts.create(command_id, command, source)
                )
            case Login() | Resume():
                await self._open_session(connection, command_id, command)
            case Delete():
                self._refuse_when_crowded(connection)
                await self._services.deletion.begin(connection, command_id, command)
            case Unknown():
                raise UnknownCommand(command=command.name)
            case Malformed():
                raise MalformedCommand(reason=command.reason)
            case AlreadyRefused():
                connection.refuse(Request(command_id, command), command.refusal)
            case Acknowledge():
                (refusal,) = self._services.receiving.acknowledge(connection, [command])
                if refusal is not None:
                    raise refusal
            case Pong() | Send():
                pass  # the one has no answer, the other is one of a run
            case Logout() | Deliver() | List() | ChangePassword() | Prove():
                await self._execute_in_session(connection, command_id, command)
            case _:
                assert_never(command)

    async def _execute_in_session(
        self,
        connection: Connection,
        command_id: int,
        command: Logout | Deliver | List | ChangePassword | Prove,
    ) -> None:
        session = self._sessions.of_connection(connection)
        if session is None:
            raise LoginRequired(command=name_of(command))
        match command:
            case Logout():
                await self._services.logins.logout(session)
                connection.emit(LoggedOut(command_id))
            case ChangePassword():
                connection.emit(
                    await self._services.logins.change_password(
                        connection, command_id, session, command
                    )
                )
            case Prove():
                self._services.logins.begin_to_prove(
                    connection, command_id, session, command
                )
            case Deliver():
                await self._services.receiving.deliver(connection, command_id, session)
            case List():
                self._refuse_when_crowded(connection)
                pattern = compile_pattern(
                    command.pattern, max_chars=self._limits.pattern_chars
                )
                self._services.rates.take(
                    self._sessions.source(connection), {RateKind.LISTS: 1}
                )
                connection.emit(Started(command_id))
                connection.sink.start(
                    self._services.listing.stream(
                        connection, session.username, command_id, command, pattern
                    )
                )
            case _:
                assert_never(command)

    async def _open_session(
        self, connection: Connection, command_id: int, command: Login | Resume
    ) -> None:
        """Answer, then begin to push; a link that was lost meanwhile has no session."""
        own = self._sessions.of_connection(connection)
        if own is not None:
            raise AlreadyLoggedIn(username=own.username)
        logins = self._services.logins
        answer: LoggedIn | Resumed
        if isinstance(command, Login):
            session, answer = await logins.login(connection, command_id, command)
        else:
            session, answer = await logins.resume(connection, command_id, command)
        connection.emit(answer)
        if session.connection is connection:
            logins.start_delivery(session)
            connection.sink.wake()

    def _refuse_when_crowded(self, connection: Connection) -> None:
        if connection.operations >= self._limits.operations:
            raise TooManyOperations(maximum=self._limits.operations)
