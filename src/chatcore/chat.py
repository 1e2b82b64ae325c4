"""The chat: what each command does, in one place (the rules are in its parts).

A driver attaches a connection, executes batches of commands on it, writes what appears
in its outbox, and fetches mail when the connection's session has fallen behind. It runs
``tick`` now and then. Nothing here waits for a clock or touches a socket.
"""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chatcore.addresses import network_of
from chatcore.admin import Admin
from chatcore.admission import Admission
from chatcore.application_calls import ApplicationCalls
from chatcore.commands import (
    Acknowledge,
    Request,
    Send,
)
from chatcore.connections import NO_HEADERS, Connection
from chatcore.counters import Counters, StoreCounters
from chatcore.delivery import Delivery
from chatcore.erasures import Erasures
from chatcore.errors import (
    CloseCode,
    Refusal,
)
from chatcore.events import (
    Welcome,
)
from chatcore.execution import Execution
from chatcore.identification import PasswordIdentities
from chatcore.ids import BEFORE_FIRST
from chatcore.limits import Limits
from chatcore.logins import SecondLogin
from chatcore.model import NOWHERE, Mailbox, Origin
from chatcore.outbox import Outbox, Webhooks, outbox_of
from chatcore.ports import (
    ConnectionSink,
    Credentials,
    Environment,
    ErasureLog,
    Identities,
    ListPolicy,
    MessageHandlers,
    SendPolicy,
)
from chatcore.registration import Registration
from chatcore.services import Services
from chatcore.sessions import Session, Sessions
from chatcore.store import Store

_MS: Final = 1000
_NOT_ASKED_YET: Final = Mailbox(acknowledged=BEFORE_FIRST, head=BEFORE_FIRST, queued=0)


class Chat(ApplicationCalls):
    """One chat over one store.

    Args:
        store: where accounts and mail are kept; the chat does not close it.
        limits: the bounds of everything.
        second_login: what a login to an account in use does (S1).
        policy: the application's say before messages are stored.
        credentials: the application's own users, where they have passwords and nothing
            else; one of it and ``identities`` at the most.
        erasure_log: where deletions are written down besides the store (D5).
        registration: who may make accounts of the chat's own.
        list_policy: the application's say about whom users find by ``list``; all find
            everybody where there is none, and nobody with ``ListNobody``.
        handlers: the application's functions that are told what becomes of messages.
        identities: the application's own users; None for accounts of the chat's own.
        webhooks: who tells other programs of each message, at least once.

    Attributes:
        store: as it was given.
        handlers: as they were given; whoever serves the chat has them run.
        webhooks: likewise.
        outbox: where webhooks wait, once the chat has started; None where none are
            sent.
        registration: who may make accounts of the chat's own.
        admission: how many connections there may be (B3).
        counters: what it has done.
    """

    _execution: Execution
    _identity = b""

    def __init__(  # noqa: PLR0913  # all that a chat is told, named
        self,
        store: Store,
        *,
        limits: Limits | None = None,
        second_login: SecondLogin = SecondLogin.REJECT,
        policy: SendPolicy | None = None,
        credentials: Credentials | None = None,
        erasure_log: ErasureLog | None = None,
        registration: Registration = Registration.OPEN,
        list_policy: ListPolicy | None = None,
        handlers: MessageHandlers | None = None,
        identities: Identities | None = None,
        webhooks: Webhooks | None = None,
    ) -> None:
        if credentials is not None:
            if identities is not None:
                raise ValueError("A chat has credentials or identities, not both.")
            identities = PasswordIdentities(credentials)
        # A copy of its own: it changes when the operator changes a limit.
        self.limits = replace(limits or Limits())
        self.store = store
        self._second_login = second_login
        self._policy = policy
        self._identities = identities
        self._list_policy = list_policy
        self.handlers = handlers
        self.webhooks = webhooks
        self.outbox: Outbox | None = None
        self._erasure_log = erasure_log
        self.registration = registration
        self._sessions = Sessions(grace_s=self.limits.grace_s)
        self._connections: set[Connection] = set()
        self.counters = Counters()
        self._forget_at_s = 0.0
        self.admission = Admission(self.limits, self._sessions.known_from)
        at_once: object = getattr(store, "starts_at_once", False)
        self._sends_at_once = at_once is True and policy is None

    async def start(self, environment: Environment) -> None:
        """Erase whom the log has (D5), take up the sessions of an earlier run (S6).

        Raises:
            WebhooksNotKept: it is to send webhooks, and the store keeps none.
        """
        webhooks = self.webhooks
        outbox = None if webhooks is None else outbox_of(self.store)
        erasures = Erasures(self.store, self._erasure_log, environment.clock)
        await erasures.catch_up()
        if webhooks is not None and outbox is not None:
            await outbox.begin(
                webhooks.targets,
                with_body=webhooks.with_body,
                retry_failed=webhooks.retry_failed,
            )
            self._identity = await self.store.identity()
            self.outbox = outbox
        self._started = services = Services(
            self.store,
            self._sessions,
            environment,
            self.limits,
            horizon=await self.store.horizon(),
            second_login=self._second_login,
            policy=self._policy,
            identities=self._identities,
            erasures=erasures,
            registration=self.registration,
            counters=self.counters,
            list_policy=self._list_policy,
            handlers=self.handlers,
            webhooks=self.webhooks,
        )
        self._execution = Execution(
            services, self._sessions, self.limits, self.turn_commands
        )
        now_s = environment.clock.monotonic_s()
        for stored in await self.store.sessions():
            self._sessions.add_detached(
                Session(
                    stored.account,
                    stored.username,
                    stored.epoch,
                    stored.token_hash,
                    # A resume tells it what the mailbox holds by then.
                    Delivery(_NOT_ASKED_YET, self.limits, pushes=True),
                ),
                now_s,
            )

    @property
    def admin(self) -> Admin:
        """What only the operator may do; once the chat is served."""
        return self._services.admin

    # ---- what can be seen of it

    @property
    def asks_the_application(self) -> bool:
        """Whether it is the application that says who somebody is."""
        return self._identities is not None

    @property
    def attached_sessions(self) -> Mapping[str, int]:
        """How many sessions have a link, by its transport."""
        return self._sessions.attached

    @property
    def detached_sessions(self) -> int:
        """How many sessions wait for a resume."""
        return self._sessions.detached

    @property
    def store_counters(self) -> StoreCounters | None:
        """What the store has done; None for a store that does not count."""
        found: object = getattr(self.store, "counters", None)
        return found if isinstance(found, StoreCounters) else None

    async def ask_store(self) -> None:
        """Return once the store answers; raises ``Outage`` when it cannot."""
        await self.store.horizon()

    async def send_webhooks(self) -> None:
        """Send what is in the outbox until this is cancelled; see ``Webhooks.run``."""
        if self.webhooks is not None and self.outbox is not None:
            clock = self._services.environment.clock
            await self.webhooks.run(self.outbox, clock, self._identity)

    # ---- connections

    def attach(
        self,
        sink: ConnectionSink,
        address: str = "",
        *,
        most_frame_bytes: int | None = None,
        origin: Origin = NOWHERE,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Connection:
        """Begin to serve a link; the first event tells it the clock and limits.

        ``address`` is the peer's, without a port; empty where it has none.
        ``most_frame_bytes`` is what the link can read, where that is less than allowed.
        ``origin`` is for records and the operator, ``headers`` are those of the request
        that opened it, for ``Identities``.
        """
        limits = self.limits
        frame_bytes = min(limits.frame_bytes, most_frame_bytes or limits.frame_bytes)
        network = network_of(address, loopback_counts=limits.loopback_counts)
        clock, counters = self._services.environment.clock, self.counters
        connection = Connection(
            sink, clock, network, origin, counters, address=address, headers=headers
        )
        self._connections.add(connection)
        counters.connections[origin.transport] += 1
        counters.opened[origin.transport] += 1
        connection.emit(
            Welcome(
                server_time_ms=self._services.key_clock.told_ms(),
                frame_bytes=frame_bytes,
                body_bytes=limits.body_bytes,
                pending_commands=limits.pending_commands,
                window_messages=limits.window_messages,
                login_frame_bytes=min(limits.first_frame_bytes, frame_bytes),
            )
        )
        if self._services.logins.is_stopping:
            connection.close(CloseCode.SHUTTING_DOWN)
        return connection

    def detach(self, connection: Connection) -> None:
        """The link is gone: its session waits for a resume (S3)."""
        if connection in self._connections:
            self._connections.remove(connection)
            self.counters.connections[connection.origin.transport] -= 1
        connection.lose()
        session = self._sessions.of_connection(connection)
        if session is not None:
            services = self._services
            self._sessions.detach(session, services.environment.clock.monotonic_s())
            # A server that stops sends everybody away: they come back by themselves.
            if services.telling is not None and not services.logins.is_stopping:
                services.telling.link_lost(session)

    def session_of(self, connection: Connection) -> Session | None:
        """The session that a connection carries."""
        return self._sessions.of_connection(connection)

    def turn_commands(self, connection: Connection) -> int:
        """How many commands, or events, are dealt with before others have a turn (B2).

        Of a link that nobody is logged in on they are fewer: it has a use for few.
        """
        if connection.delivery is not None:
            return self.limits.turn_commands
        return self.limits.stranger_turn_commands

    async def stop(self) -> None:
        """Refuse new sessions, tell every peer to come back later, flush (W9)."""
        self._services.logins.is_stopping = True
        for connection in list(self._connections):
            connection.close(CloseCode.SHUTTING_DOWN)
        await self.store.flush()

    # ---- commands

    def acknowledge(
        self, connection: Connection, commands: Sequence[Acknowledge]
    ) -> Sequence[Refusal | None]:
        """Take acknowledgements ahead of all other commands, without waiting (W7).

        Answers for each why it is refused, if it is. That is for ``execute`` to tell,
        in its turn, as ``AlreadyRefused``: refusals at once would have no bound (B1).
        """
        return self._services.receiving.acknowledge(connection, commands)

    async def fetch(self, connection: Connection) -> None:
        """Read mail for a session that has fallen behind, as far as its window goes."""
        await self._services.receiving.fetch(connection)

    def runs_at_once(self, requests: Sequence[Request]) -> bool:
        """Whether ``execute`` may be begun with these outside of any task: they are
        sends, and nobody but the store is asked about them.
        """
        return self._sends_at_once and all(
            type(command) is Send for _, command in requests
        )

    def execute(
        self, connection: Connection, requests: Sequence[Request]
    ) -> Coroutine[object, None, None]:
        """Carry out commands in order; their answers appear in the outbox in order.

        A run of sends is one store call. One batch at a time for each connection. It
        must not be cancelled: what it has committed would not be delivered. After some
        commands, or some time, it lets all others have a turn (B2).
        """
        return self._execution.execute(connection, requests)

    # ---- time

    async def tick(self) -> None:
        """Do what time asks for: close links whose proofs have expired, end sessions,
        continue clean-ups, forget old keys.

        Each call does a bounded amount; call it about once a second.
        """
        clock = self._services.environment.clock
        await self._services.expiries.tick()
        now_s = clock.monotonic_s()
        while (session := self._sessions.overdue(now_s)) is not None:
            await self._services.logins.logout(session)
        await self._services.clean_ups.go_on()
        if now_s >= self._forget_at_s:
            self._forget_at_s = now_s + self.limits.forget_every_ms / _MS
            await self.store.forget(self._services.key_clock.oldest())
