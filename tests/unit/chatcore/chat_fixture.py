"""A whole chat within reach of a test: its store, its surroundings and its peers.

Nothing is replaced by a mock: ``Chat`` runs over the memory store, and a ``Peer`` does
what the session driver does, into a list.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import TypeVar

from chatcore import Chat, Limits, Registration, SecondLogin
from chatcore.commands import (
    Acknowledge,
    AlreadyRefused,
    Command,
    Create,
    Login,
    Request,
)
from chatcore.connections import Connection
from chatcore.errors import Refusal
from chatcore.events import Bounced, Created, Delivered, Event, LoggedIn, Refused
from chatcore.ids import ResumeToken
from chatcore.model import NOWHERE, Origin
from chatcore.ports import (
    Credentials,
    ErasureLog,
    Identities,
    ListPolicy,
    MessageHandlers,
    SendPolicy,
)
from tests.unit.chatcore.environment import Surroundings
from tests.unit.chatcore.manual_scheduler import ManualScheduler, Wait
from tests.unit.chatcore.unreliable_store import UnreliableStore

PASSWORD = "correct horse"

AnEvent = TypeVar("AnEvent")


def of_type(events: Iterable[Event], kind: type[AnEvent]) -> list[AnEvent]:
    """Those events that are of one kind."""
    return [it for it in events if isinstance(it, kind)]


class ChatFixture:
    """One chat over one store, and time that the test moves."""

    def __init__(  # noqa: PLR0913  # all that a chat is told
        self,
        limits: Limits | None = None,
        *,
        second_login: SecondLogin = SecondLogin.REJECT,
        policy: SendPolicy | None = None,
        credentials: Credentials | None = None,
        erasure_log: ErasureLog | None = None,
        registration: Registration = Registration.OPEN,
        list_policy: ListPolicy | None = None,
        handlers: MessageHandlers | None = None,
        identities: Identities | None = None,
    ) -> None:
        self.scheduler = ManualScheduler()
        self.store = UnreliableStore(self.scheduler)
        self.surroundings = Surroundings(self.scheduler)
        self._limits = limits
        self._second_login = second_login
        self._policy = policy
        self._credentials = credentials
        self._list_policy = list_policy
        self.handlers = handlers
        self._identities = identities
        self.erasure_log = erasure_log
        self.registration = registration
        self.restart()

    def restart(self) -> None:
        """Begin a new chat on the same store, as after a crash of the server."""
        self.scheduler.drop()
        self.chat = Chat(
            self.store,
            limits=self._limits,
            second_login=self._second_login,
            policy=self._policy,
            credentials=self._credentials,
            erasure_log=self.erasure_log,
            registration=self.registration,
            list_policy=self._list_policy,
            handlers=self.handlers,
            identities=self._identities,
        )
        self.do(self.chat.start(self.surroundings.as_environment()))

    def do(self, work: Coroutine[object, None, None]) -> None:
        """Run some work as far as it goes, and everything that it brings about."""
        self.scheduler.spawn(work)
        self.scheduler.run()

    def pass_s(self, seconds: float) -> None:
        """Let time pass, and what waited for it happen."""
        self.surroundings.clock.advance(seconds)
        self.scheduler.run()

    def tick(self) -> None:
        """Let the chat do what time asks for."""
        self.do(self.chat.tick())

    def peer(self, address: str = "", origin: Origin = NOWHERE) -> "Peer":
        """A new link, from this network address."""
        peer = Peer(self, address, origin)
        self.scheduler.run()
        return peer

    def account(self, username: str) -> int:
        """Create an account; its id."""
        created = self.peer().ask(Create(username, PASSWORD))
        assert isinstance(created, Created), created
        return created.account

    def user(self, username: str) -> "Peer":
        """A new link that is logged in; the account is created when there is none."""
        peer = self.peer()
        peer.log_in(username)
        return peer


class Peer:
    """A link, and what came out of it; the ``ConnectionSink`` of its connection."""

    def __init__(
        self, fixture: ChatFixture, address: str = "", origin: Origin = NOWHERE
    ) -> None:
        self._fixture = fixture
        self._is_woken = False
        self._is_writing = False
        self._undrained: list[Wait] = []
        self._last_id = 0
        self.events: list[Event] = []
        self.is_clogged = False
        self.held_bytes = 0
        self.ways_given = 0
        self.when_giving_way: Callable[[], None] | None = None
        self.reported: list[Exception] = []
        self.token = ResumeToken(b"")
        self.connection: Connection = fixture.chat.attach(self, address, origin=origin)

    # ---- the outlet

    def wake(self) -> None:
        self._is_woken = True
        if not self._is_writing:
            self._is_writing = True
            self._fixture.scheduler.spawn(self._write())

    def wake_later(self) -> None:
        self.wake()

    async def drained(self) -> bool:
        if self.connection.lost:
            return False
        wait = Wait(self._fixture.scheduler)
        self._undrained.append(wait)
        self.wake()
        return await wait

    async def give_way(self) -> None:
        self.ways_given += 1
        if self.when_giving_way is not None:
            self.when_giving_way()

    def report(self, error: Exception) -> None:
        self.reported.append(error)

    def start(self, operation: Coroutine[object, None, None]) -> None:
        self.connection.operations += 1
        self._fixture.scheduler.spawn(self._operate(operation))

    async def _operate(self, operation: Coroutine[object, None, None]) -> None:
        await operation
        self.connection.operations -= 1

    async def _write(self) -> None:
        chat, connection = self._fixture.chat, self.connection
        while self._is_woken and not self.is_clogged:
            self._is_woken = False
            await chat.fetch(connection)
            self.events.extend(connection.take_outbox(10_000))
            session = chat.session_of(connection)
            if session is not None and session.delivery.wants_mail:
                self._is_woken = True
        self._is_writing = False
        if not self.is_clogged:
            self._end_drained(written=True)

    def _end_drained(self, *, written: bool) -> None:
        for wait in self._undrained:
            wait.end(answer=written)
        self._undrained.clear()

    # ---- what a test does with it

    def do(self, *commands: Command) -> list[Event]:
        """Give commands in one batch; what came out of the link since."""
        before = len(self.events)
        requests = [Request(self.next_id(), it) for it in commands]
        self._fixture.do(self._fixture.chat.execute(self.connection, requests))
        return self.events[before:]

    def next_id(self) -> int:
        """A number for the next command."""
        self._last_id += 1
        return self._last_id

    def ask(self, command: Command) -> Event:
        """Give a command that has an answer; the last event that it brought."""
        events = self.do(command)
        assert events, f"{command} has no answer"
        return events[-1]

    def refusal(self, command: Command) -> Refusal:
        """Give a command that is refused; why."""
        answer = self.ask(command)
        assert isinstance(answer, Refused), answer
        assert answer.id == self._last_id
        return answer.refusal

    def log_in(self, username: str) -> LoggedIn:
        """Log in, creating the account when there is none."""
        events = self.do(Login(username=username, password=PASSWORD, create=True))
        (logged_in,) = of_type(events, LoggedIn)
        self.token = logged_in.token
        return logged_in

    def acknowledge(self, position: int) -> list[Event]:
        """Acknowledge ahead of all else; what came out of the link since."""
        before = len(self.events)
        number, chat = self.next_id(), self._fixture.chat
        (refusal,) = chat.acknowledge(self.connection, [Acknowledge(position)])
        if refusal is not None:
            judged = Request(number, AlreadyRefused(refusal))
            self._fixture.scheduler.spawn(chat.execute(self.connection, [judged]))
        self._fixture.scheduler.run()
        return self.events[before:]

    def unclog(self) -> list[Event]:
        """Read again; what came out of the link."""
        before = len(self.events)
        self.is_clogged = False
        self.wake()
        self._fixture.scheduler.run()
        return self.events[before:]

    def lose(self) -> None:
        """Lose the link."""
        self._fixture.chat.detach(self.connection)
        self._end_drained(written=False)
        self._fixture.scheduler.run()

    @property
    def mail(self) -> list[Delivered | Bounced]:
        """All mail that came, in order."""
        return [it for it in self.events if isinstance(it, Delivered | Bounced)]

    @property
    def bodies(self) -> list[str]:
        """The bodies of all messages that came, in order."""
        return [it.body for it in of_type(self.events, Delivered)]
