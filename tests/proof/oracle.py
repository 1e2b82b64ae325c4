"""What all users of a chat see, compared with the model after each step.

A ``UserSession`` is a session as its user knows it; ``Oracle`` has all of them, and the
harness that they look at. Everything here is exact but for acknowledgements that a
killed process may have lost (M4 allows it).
"""

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from chatcore import Limits, SecondLogin
from chatcore.commands import Command
from chatcore.errors import CloseCode
from chatcore.events import (
    Bounced,
    Closing,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Received,
    Refused,
    Started,
)
from chatcore.ids import AccountId
from tests.proof import history
from tests.proof.harness import Harness, Persistence
from tests.proof.model import Model, Person
from tests.unit.chatcore.chat_fixture import Peer

LIMITS: Final = Limits(
    mailbox_messages=8,
    window_messages=3,
    bounce_messages=2,
    cleanup_rows=2,
    page_names=1,
    walk_names=2,
    wrong_passwords=1000,  # the model knows of no throttle (B4)
    account_wrong_passwords=1000,
)


class DeliverGoal(NamedTuple):
    """What a ``deliver`` waits for."""

    position: int
    messages: int


@dataclass(slots=True, kw_only=True)
class DeletionUnderWay:
    """A deletion under way.

    Attributes:
        up_to: what was queued when it was asked for.
        counted: messages acknowledged since.
        opened_here: it has made its own session, whose token nobody knows.
    """

    id: int
    key: bytes
    discard: bool
    retract: bool
    up_to: int
    opened_here: bool
    counted: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class UserSession:
    """A session, as its user knows it.

    Attributes:
        peer: the link that has it; None while it is detached.
        read: how many of the link's events were looked at.
        ends_s: when its grace ends, while it is detached.
        cursor: the last position that came, or that it began after.
        furthest: the last that came on any link of this server's process.
        asked: in manual mode, up to where mail may come.
        in_flight: positions to acknowledge, and whether a receipt will count them.
    """

    person: Person
    token: bytes
    pushes: bool
    cursor: int
    peer: Peer | None = None
    furthest: int = 0
    read: int = 0
    ends_s: float = 0.0
    asked: int = 0
    in_flight: dict[int, bool] = field(default_factory=dict)
    goals: dict[int, DeliverGoal] = field(default_factory=dict)
    erasing: DeletionUnderWay | None = None

    def has_settled(self, position: int) -> bool:
        """Whether all up to ``position`` has come and is acknowledged."""
        unseen = self.person.waiting(self.cursor)
        return not any(it <= position for it in (*unseen, *self.in_flight))

    @property
    def refuses_mail(self) -> bool:
        """Whether the mailbox is closing (D2)."""
        erasing = self.erasing
        return (
            erasing is not None
            and not erasing.discard
            and self.has_settled(erasing.up_to)
        )


def peer_of(seat: UserSession) -> Peer:
    """The link of a seat that has one."""
    assert seat.peer is not None
    return seat.peer


class Oracle:
    """A chat on its stage, the model of it, and everyone who looks on.

    Attributes:
        seats: the sessions that have not ended, by account.
        gone: tokens of sessions that have ended.
        receipts: what deletions under a key were answered.
        records: what all saw, for ``history``.
    """

    def __init__(self, persistence: Persistence, second_login: SecondLogin) -> None:
        self.harness = Harness(persistence, limits=LIMITS, second_login=second_login)
        self.model = Model()
        self.seats: dict[int, UserSession] = {}
        self.gone: list[bytes] = []
        self.receipts: dict[bytes, tuple[Person, Deleted]] = {}
        self.records: list[history.Record] = []
        self._firm: dict[int, int] = {}
        self.was_restarted = False

    # ---- asking

    @property
    def now_s(self) -> float:
        """The monotonic time."""
        return self.harness.surroundings.clock.monotonic_s()

    @property
    def now_ms(self) -> int:
        """The wall clock."""
        return self.harness.surroundings.clock.now_ms()

    def attached(self) -> list[UserSession]:
        """The seats that have a link and run no deletion."""
        return [it for it in self.seats.values() if it.peer and not it.erasing]

    def ask(self, peer: Peer, command: Command) -> Event:
        """Give a command; its answer, which is not ``Started``."""
        before = len(peer.events)
        peer.connection.hear()
        peer.do(command)
        return self.answer(peer, before)

    def answer(self, peer: Peer, before: int) -> Event:
        """The answer to a link's last command, among its later events."""
        answers = [
            it
            for it in peer.events[before:]
            if getattr(it, "id", None) == peer._last_id and not isinstance(it, Started)
        ]
        assert answers, peer.events[before:]
        return answers[-1]

    # ---- sessions

    def sit(self, seat: UserSession, peer: Peer) -> None:
        """A session begins on a link."""
        seat.peer = peer
        seat.read = 0
        self.seats[seat.person.id] = seat
        self.begin_after(seat, seat.cursor)

    def begin_after(self, seat: UserSession, position: int) -> None:
        """What comes to a session from now on follows ``position``."""
        seat.cursor = position
        account = seat.person.id
        self.records.append(history.Began(str(account), account, position))

    def rise(self, seat: UserSession, code: CloseCode | None = None) -> None:
        """A session ends; its link was told so, when it is closed with a code."""
        if seat.peer is not None:
            told = [it.code for it in seat.peer.events if isinstance(it, Closing)]
            assert told == ([] if code is None else [code])
            seat.peer.lose()
        if self.seats.get(seat.person.id) is seat:
            del self.seats[seat.person.id]
        self.gone.append(seat.token)

    def leave_link(self, seat: UserSession) -> None:
        """A session has lost its link, and with it what runs on it."""
        seat.peer = None
        seat.goals.clear()
        seat.ends_s = self.now_s + LIMITS.grace_s
        erasing, seat.erasing = seat.erasing, None
        if erasing is not None and erasing.opened_here:
            self.rise(seat)

    def end_graces(self) -> None:
        """Forget the sessions whose grace is over."""
        for seat in list(self.seats.values()):
            if seat.peer is None and seat.ends_s <= self.now_s:
                self.rise(seat)

    # ---- the server's death

    def die(self, *, killed: bool) -> None:
        """End the server's process, and have another take up what it has left."""
        told = dict(self.harness.mortal.told) if killed else {}
        self.harness.end(killed=killed)
        for seat in list(self.seats.values()):
            if seat.peer is not None:
                if not killed:
                    assert isinstance(seat.peer.events[-1], Closing)
                seat.peer.connection.lose()
                self.leave_link(seat)
            seat.ends_s = self.now_s + LIMITS.grace_s
            seat.pushes = True
            seat.furthest = 0
            seat.in_flight.clear()
        self.harness.restart()
        self.was_restarted = True
        self.records.append(history.Restarted())
        store = self.harness.kept
        while self.harness.look(store.pending_deletions()):
            self.harness.tick()
        for person in self.model.names.values():
            box = self.harness.look(store.mailbox(AccountId(person.id)))
            if person.id in told:
                assert box.acknowledged in (
                    # A change of password tells what was told before once more.
                    self._firm.get(person.id, person.acknowledged),
                    person.acknowledged,
                )
            else:
                assert box.acknowledged == person.acknowledged
            person.acknowledged = box.acknowledged
            assert box.head == len(person.mail)
            assert box.queued == len(person.waiting())

    def acknowledge(self, seat: UserSession, position: int) -> None:
        """Take note of an acknowledgement that is in order."""
        person = seat.person
        if person.id not in self.harness.mortal.told:
            self._firm[person.id] = person.acknowledged
        person.acknowledged = max(person.acknowledged, position)
        if position > seat.cursor:
            # It came on an earlier link, and need not come again.
            self.begin_after(seat, position)
        self.records.append(history.Acknowledged(person.id, position))
        for it in [it for it in seat.in_flight if it <= position]:
            counted = seat.in_flight.pop(it)
            if seat.erasing is not None:
                seat.erasing.counted += counted

    # ---- deletion

    def delete(self, person: Person, erasing: DeletionUnderWay) -> Deleted:
        """Delete an account in the model; the answer that this must have."""
        receipt, bounces, retracted = self.model.would_delete(
            person,
            discard=erasing.discard,
            retract=erasing.retract,
            bounce_messages=LIMITS.bounce_messages,
        )
        assert erasing.discard or not person.waiting()
        del self.model.names[person.name]
        person.deleted = True
        for to, bounce in bounces:
            to.mail.append(bounce)
        for letter in retracted:
            letter.retracted = True
        self.records.append(
            history.Deleted(person.id, erasing.retract, erasing.discard)
        )
        deleted = Deleted(erasing.id, replace(receipt, delivered=erasing.counted))
        if erasing.key:
            self.receipts[erasing.key] = (person, deleted)
        return deleted

    def _look_at_deletions(self) -> None:
        for seat in list(self.seats.values()):
            erasing, peer = seat.erasing, seat.peer
            if erasing is None or peer is None:
                continue
            for event in peer.events[seat.read :]:
                if isinstance(event, Deleted):
                    assert event == self.delete(seat.person, erasing)
                    self._look_at(seat)
                    self.rise(seat)
                elif isinstance(event, Refused) and event.id == erasing.id:
                    seat.erasing = None
                    seat.asked = len(seat.person.mail)
                    if erasing.opened_here:
                        self.rise(seat)

    # ---- looking

    def look(self) -> None:
        """Compare all that came out of all links with the model."""
        self._look_at_deletions()
        for seat in self.seats.values():
            if seat.peer is not None:
                self._look_at(seat)
                self._look_at_window(seat)

    def look_into_mailboxes(self) -> None:
        """Note what is left in each."""
        for person in self.model.names.values():
            remains = history.Remains(person.id, tuple(person.waiting()))
            self.records.append(remains)

    def _look_at(self, seat: UserSession) -> None:
        peer = peer_of(seat)
        news, seat.read = peer.events[seat.read :], len(peer.events)
        for event in news:
            match event:
                case Delivered() | Bounced():
                    self._look_at_mail(seat, event)
                case DeliveryFinished(number, messages):
                    goal = seat.goals.pop(number)
                    assert messages == goal.messages
                    assert seat.has_settled(goal.position)
                case Received():
                    self._look_at_notice(seat, event)
                case Closing():
                    raise AssertionError(event)
                case _:
                    pass  # answers, at which the one who asked looks

    def _look_at_mail(self, seat: UserSession, event: Delivered | Bounced) -> None:
        person = seat.person
        position, letter = next(iter(person.waiting(seat.cursor).items()))
        assert (event.follows, event.position) == (seat.cursor, position)
        assert seat.pushes or seat.erasing or position <= seat.asked
        seat.cursor = position
        seat.furthest = max(seat.furthest, position)
        seat.in_flight[position] = not letter.bounced
        client = str(person.id)
        sender = letter.sender
        if isinstance(event, Bounced):
            assert event.positions == letter.bounced
            assert (event.recipient_id, event.recipient) == (sender.id, sender.name)
            self.records.append(
                history.Bounced(
                    client,
                    person.id,
                    position,
                    event.follows,
                    sender.id,
                    letter.bounced,
                )
            )
        else:
            assert event.body == letter.body
            assert (event.sender_id, event.sender) == (sender.id, sender.name)
            assert event.sender_deleted == sender.deleted
            self.records.append(
                history.Delivered(
                    client, person.id, position, event.follows, sender.id, event.body
                )
            )

    def _look_at_notice(self, seat: UserSession, notice: Received) -> None:
        recipient = self.model.people[notice.recipient_id]
        for position in notice.positions:
            letter = recipient.mail[position - 1]
            assert letter.sender is seat.person
            assert not letter.bounced
            assert recipient.acknowledged >= position

    def _look_at_window(self, seat: UserSession) -> None:
        """Whatever may come has come, and no more than there is room for."""
        assert len(seat.in_flight) <= LIMITS.window_messages
        unseen = seat.person.waiting(seat.cursor)
        furthest = max((it.position for it in seat.goals.values()), default=0)
        if any(seat.pushes or it <= furthest for it in unseen):
            assert len(seat.in_flight) >= LIMITS.window_messages
        assert not any(seat.has_settled(it.position) for it in seat.goals.values())
        if seat.erasing is not None:
            assert not seat.erasing.discard
            assert seat.in_flight
