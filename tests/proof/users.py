"""Users who come and go: the rules of accounts, sessions and links, as random steps."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from chatcore import SecondLogin
from chatcore.commands import (
    ChangePassword,
    Create,
    Delete,
    DeliveryMode,
    Login,
    Logout,
    Resume,
)
from chatcore.errors import (
    AccountInUse,
    AcknowledgedTooMuch,
    CloseCode,
    NameTaken,
    Refusal,
    SessionGone,
    WrongCredentials,
)
from chatcore.events import (
    Created,
    Event,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Refused,
    Resumed,
    Started,
)
from tests.proof import history
from tests.proof.harness import persistence_in
from tests.proof.model import Person
from tests.proof.oracle import LIMITS, Oracle, UserSession, peer_of
from tests.unit.chatcore.chat_fixture import Peer

PASSWORDS: Final = st.sampled_from(("correct horse", "battery staple"))
WRONG: Final = "wrong horse"
MOSTLY: Final = st.integers(0, 5).map(bool)
NAMES: Final = st.sampled_from(("ada", "bob", "cy"))
SOMEBODY: Final = st.integers(0, 11)
YES_OR_NO: Final = st.booleans()


def refused_as(answer: Event, refusal: type[Refusal]) -> None:
    """Check that an answer is a refusal, and this one."""
    assert isinstance(answer, Refused), answer
    assert type(answer.refusal) is refusal, answer


class ComingUsers(RuleBasedStateMachine):
    """What users may do, each with what has to come of it."""

    is_durable: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.cleaning = ExitStack()
        folder = self.cleaning.enter_context(TemporaryDirectory(prefix="chatcore-"))
        self.persistence = self.cleaning.enter_context(
            persistence_in(Path(folder), durable=self.is_durable)
        )
        self.keys = 0
        self.creations: dict[bytes, Person] = {}

    @initialize(second_login=st.sampled_from(SecondLogin))
    def begin(self, second_login: SecondLogin) -> None:
        self.replaces = second_login is SecondLogin.REPLACE
        self.oracle = Oracle(self.persistence, second_login)
        self.model, self.harness = self.oracle.model, self.oracle.harness
        for name in ("ada", "bob", "cy"):
            self.log_in(name, create=True, right=True, pushes=True, answers=True)

    def teardown(self) -> None:
        try:
            self.oracle.look_into_mailboxes()
            assert history.judge(self.oracle.records) == []
            self.oracle.die(killed=True)
            self.harness.end(killed=False)
        finally:
            self.cleaning.close()

    # ---- what the rules share

    def one_of(self, seats: list[UserSession], number: int) -> UserSession:
        return seats[number % len(seats)]

    def anybody(self) -> bool:
        return bool(self.oracle.attached())

    def new_key(self, *, age_ms: int = 0) -> bytes:
        self.keys += 1
        at_ms = self.oracle.now_ms - age_ms
        return at_ms.to_bytes(6) + b"\x70\x00\x80" + self.keys.to_bytes(7)

    def meet(self, name: str, password: str, account: int) -> Person:
        """An account that is new."""
        assert account not in self.model.people
        person = Person(account, name, password)
        self.model.people[account] = self.model.names[name] = person
        self.oracle.records.append(history.Created(account, name))
        return person

    def is_in_use(
        self, older: UserSession | None, *, answers: bool, replaces: bool
    ) -> bool:
        """Whether a seat is not given up to another login (S1)."""
        if older is None or older.peer is None:
            return False
        if older.erasing is not None:
            return True
        silent_s = self.oracle.now_s - older.peer.connection.heard_s
        return not replaces and (answers or silent_s < LIMITS.probe_s)

    def ask_over(
        self,
        peer: Peer,
        command: Login | Delete,
        older: UserSession | None,
        *,
        answers: bool,
    ) -> Event | None:
        """Ask for what another session may be pinged for; the answer, if any yet."""
        before = len(peer.events)
        peer.connection.hear()
        peer.do(command)
        rival = older.peer if older is not None else None
        if older is not None and rival is not None:
            pinged = any(isinstance(it, Ping) for it in rival.events[older.read :])
            if pinged and answers:
                rival.connection.hear()
                self.harness.scheduler.run()
            elif pinged:
                self.harness.pass_s(LIMITS.probe_s)
        if isinstance(peer.events[-1], Started) or any(
            isinstance(it, Started) for it in peer.events[before:]
        ):
            return None
        return self.oracle.answer(peer, before)

    def make_way(self, older: UserSession | None, code: CloseCode) -> None:
        if older is not None:
            self.oracle.rise(older, code if older.peer is not None else None)

    # ---- accounts

    @rule(name=NAMES, password=PASSWORDS, keyed=YES_OR_NO)
    def create(self, name: str, password: str, *, keyed: bool) -> None:
        key = self.new_key() if keyed else b""
        answer = self.oracle.ask(self.harness.peer(), Create(name, password, key))
        if name in self.model.names:
            refused_as(answer, NameTaken)
        else:
            assert isinstance(answer, Created)
            person = self.meet(name, password, answer.account)
            if keyed:
                self.creations[key] = person
        self.oracle.look()

    @precondition(lambda self: self.creations)
    @rule(number=SOMEBODY, right=MOSTLY)
    def create_again(self, number: int, *, right: bool) -> None:
        key = list(self.creations)[number % len(self.creations)]
        person = self.creations[key]
        password = person.password if right else WRONG
        answer = self.oracle.ask(
            self.harness.peer(), Create(person.name, password, key)
        )
        if right:
            assert isinstance(answer, Created)
            assert answer.account == person.id
        else:
            refused_as(answer, WrongCredentials)
        self.oracle.look()

    def password_of(self, name: str, *, right: bool) -> str:
        """The password of a name, or a wrong one; any for a name that is free."""
        person = self.model.names.get(name)
        if person is None:
            return "correct horse"
        return person.password if right else WRONG

    @rule(name=NAMES, create=MOSTLY, right=MOSTLY, pushes=MOSTLY, answers=YES_OR_NO)
    def log_in(
        self, name: str, *, create: bool, right: bool, pushes: bool, answers: bool
    ) -> None:
        password = self.password_of(name, right=right)
        person = self.model.names.get(name)
        older = self.oracle.seats.get(person.id) if person else None
        in_use = self.is_in_use(older, answers=answers, replaces=self.replaces)
        peer = self.harness.peer()
        mode = DeliveryMode.PUSH if pushes else DeliveryMode.MANUAL
        command = Login(username=name, password=password, create=create, delivery=mode)
        answer = self.ask_over(peer, command, older, answers=answers)
        assert answer is not None
        if person.password != password if person else not create:
            refused_as(answer, WrongCredentials)
        elif in_use:
            refused_as(answer, AccountInUse)
        else:
            assert isinstance(answer, LoggedIn)
            code = CloseCode.REPLACED if self.replaces else CloseCode.UNRESPONSIVE
            self.make_way(older, code)
            person = person or self.meet(name, password, answer.account)
            assert answer.account == person.id
            assert answer.queued == len(person.waiting())
            assert answer.acknowledged == person.acknowledged
            self.oracle.sit(
                UserSession(
                    person=person,
                    token=answer.token,
                    pushes=pushes,
                    cursor=person.acknowledged,
                ),
                peer,
            )
        self.oracle.look()

    @precondition(anybody)
    @rule(number=SOMEBODY, right=MOSTLY, new=PASSWORDS)
    def change_password(self, number: int, new: str, *, right: bool) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        old = self.password_of(seat.person.name, right=right)
        answer = self.oracle.ask(peer_of(seat), ChangePassword(old, new))
        if right:
            assert isinstance(answer, PasswordChanged)
            seat.person.password = new
            self.oracle.gone.append(seat.token)
            seat.token = answer.token
        else:
            refused_as(answer, WrongCredentials)
        self.oracle.look()

    @precondition(anybody)
    @rule(number=SOMEBODY)
    def log_out(self, number: int) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        answer = self.oracle.ask(peer_of(seat), Logout())
        assert isinstance(answer, LoggedOut)
        self.oracle.rise(seat)
        self.oracle.look()

    # ---- links

    @rule(number=SOMEBODY)
    def lose_link(self, number: int) -> None:
        seats = [it for it in self.oracle.seats.values() if it.peer]
        if seats:
            seat = self.one_of(seats, number)
            peer_of(seat).lose()
            self.oracle.leave_link(seat)
        self.oracle.look()

    @precondition(lambda self: any(it.token for it in self.oracle.seats.values()))
    @rule(
        number=SOMEBODY,
        seen=st.sampled_from(("all", "all", "all", "some", "some", "too much")),
        mode=st.sampled_from((None, None, *DeliveryMode)),
    )
    def resume(self, number: int, seen: str, mode: DeliveryMode | None) -> None:
        for token in self.oracle.gone[-1:]:
            refused_as(self.oracle.ask(self.harness.peer(), Resume(token)), SessionGone)
        seats = [it for it in self.oracle.seats.values() if it.token]
        seat = self.one_of(seats, number)
        person = seat.person
        last_seen = {
            "all": seat.cursor,
            "some": min(seat.in_flight, default=0),
            "too much": len(person.mail) + 1,
        }[seen]
        peer = self.harness.peer()
        answer = self.oracle.ask(peer, Resume(seat.token, last_seen, mode))
        if seen == "too much":
            refused_as(answer, AcknowledgedTooMuch)
        else:
            start = max(last_seen, person.acknowledged)
            assert isinstance(answer, Resumed)
            assert (answer.account, answer.last_seen) == (person.id, start)
            assert answer.queued == len(person.waiting())
            if seat.peer is not None:
                closing = seat.peer.events[-1]
                assert getattr(closing, "code", None) == CloseCode.RESUMED_ELSEWHERE
                seat.peer.lose()
                self.oracle.leave_link(seat)
            if mode is not None:
                seat.pushes = mode is DeliveryMode.PUSH
            kept = {at: it for at, it in seat.in_flight.items() if at <= start}
            if start > person.acknowledged and start not in kept:
                kept[start] = False
            seat.in_flight = kept
            seat.cursor = seat.asked = start
            self.oracle.sit(seat, peer)
        self.oracle.look()
