"""Users who write, read and list, as random steps, and what has to come of it."""

from fnmatch import fnmatchcase
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chatcore.commands import Deliver, List, Send
from chatcore.errors import (
    AcknowledgedTooMuch,
    InvalidBody,
    InvalidKey,
    InvalidUsername,
    KeyExpired,
    KeyReused,
    MailboxClosing,
    MailboxFull,
    MailboxShare,
    NoSuchRecipient,
    Refusal,
)
from chatcore.events import (
    Accepted,
    DeliveryFinished,
    Listed,
    Refused,
    Started,
)
from chatcore.limits import DAY_MS
from tests.proof import history
from tests.proof.model import FirstSend, ModelMessage, Person
from tests.proof.oracle import LIMITS, DeliverGoal, UserSession, peer_of
from tests.proof.users import (
    NAMES,
    SOMEBODY,
    ComingUsers,
    refused_as,
)
from tests.unit.chatcore.chat_fixture import Peer

RECIPIENTS: Final = st.sampled_from(
    ("ada", "bob", "cy", "ada", "bob", "cy", "Ada", "nobody", "b*b")
)
BODIES: Final = st.sampled_from(("hello", "hello", "world", "world", "\0", ""))
KEYS: Final = st.sampled_from(("new", "new", "new", "none", "late", "expired", "wrong"))
ACKNOWLEDGED: Final = st.sampled_from(
    ("all", "all", "first", "ahead", "old", "too much")
)
PATTERNS: Final = ("", "a", "*", "?o?", "c*", "*d*a", "ada", "*d")
KEPT_MS: Final = LIMITS.key_lifetime_ms


class WritingUsers(ComingUsers):
    """Those who come also write, read and list."""

    # ---- sending

    def judge_send(
        self, seat: UserSession, send: Send, *, at_ms: int
    ) -> FirstSend | type[Refusal]:
        """What a send has to be answered."""
        name = send.recipient.lower()
        if not send.body:
            return InvalidBody
        if "*" in name:
            return InvalidUsername
        if send.key[6:7] == b"\x40":
            return InvalidKey
        known = self.model.keys.get((seat.person.id, name, send.key))
        if send.key and known is not None:
            return known if known[0] == send.body else KeyReused
        if send.key and at_ms < self.oracle.now_ms - KEPT_MS:
            return KeyExpired
        return self.judge_new_send(send, seat.person, self.model.names.get(name))

    def judge_late_send(
        self, seat: UserSession, send: Send
    ) -> FirstSend | type[Refusal]:
        """What a send under an unknown key that is too old may be answered as well.

        After a restart the time of keys begins where the horizon was left: until it has
        caught up, keys above that are known for longer than they have to be (B7).
        """
        pair = (seat.person.id, send.recipient.lower(), send.key)
        horizon = self.oracle.harness.look(self.oracle.harness.kept.horizon())
        if (
            not self.oracle.was_restarted
            or send.key < horizon
            or pair in self.model.forgotten
        ):
            return KeyExpired
        return self.judge_new_send(
            send, seat.person, self.model.names.get(send.recipient.lower())
        )

    def judge_new_send(
        self, send: Send, sender: Person, to: Person | None
    ) -> FirstSend | type[Refusal]:
        """What a send that is no repeat has to be answered."""
        if to is None:
            return NoSuchRecipient
        reader = self.oracle.seats.get(to.id)
        if reader is not None and reader.refuses_mail:
            return MailboxClosing
        senders = [it.sender for it in to.messages().values()]
        quarter = LIMITS.mailbox_messages // 4
        if len(senders) >= LIMITS.mailbox_messages:
            return MailboxFull
        is_crowded = len(senders) >= LIMITS.mailbox_messages - quarter
        if is_crowded and senders.count(sender) >= quarter:
            return MailboxShare
        return send.body, to.id, len(to.mail) + 1

    def keep(self, seat: UserSession, send: Send, first: FirstSend) -> None:
        """Have the model store what was accepted, unless it is a repeat."""
        body, recipient, position = first
        to = self.model.people[recipient]
        if position > len(to.mail):
            to.mail.append(ModelMessage(seat.person, body))
            if send.key:
                key = (seat.person.id, send.recipient.lower(), send.key)
                self.model.keys[key] = first

    @precondition(ComingUsers.anybody)
    @rule(sends=st.lists(st.tuples(SOMEBODY, RECIPIENTS, BODIES, KEYS), min_size=1))
    def send(self, sends: list[tuple[int, str, str, str]]) -> None:
        for number, recipient, body, keyed in sends:
            age_ms = {"late": DAY_MS, "expired": KEPT_MS + 1}.get(keyed, 0)
            key = self.new_key(age_ms=age_ms) if keyed != "none" else b""
            if keyed == "wrong":
                key = key[:6] + b"\x40" + key[7:]
            seat = self.one_of(self.oracle.attached(), number)
            self.ask_to_send(seat, Send(recipient, body, key))

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY, recipients=st.lists(NAMES, min_size=2, max_size=5))
    def send_in_one_batch(self, number: int, recipients: list[str]) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        peer = peer_of(seat)
        sends = [
            Send(recipient, f"number {n}", self.new_key())
            for n, recipient in enumerate(recipients)
        ]
        expected: list[FirstSend | type[Refusal]] = []
        for send in sends:
            it = self.judge_send(seat, send, at_ms=self.oracle.now_ms)
            if not isinstance(it, type):
                self.keep(seat, send, it)
            expected.append(it)
        records = [self.record_of(seat, send) for send in sends]
        self.oracle.records += records
        peer.connection.hear()
        events = peer.do(*sends)
        ids = range(peer._last_id - len(sends) + 1, peer._last_id + 1)
        answers = [it for it in events if isinstance(it, Accepted | Refused)]
        assert [it.id for it in answers] == list(ids)
        for record, answer, it in zip(records, answers, expected, strict=True):
            self.take_answer(record, answer, it)
        self.oracle.look()

    def take_answer(
        self,
        record: history.Sent,
        answer: Accepted | Refused,
        expected: FirstSend | type[Refusal],
    ) -> None:
        """Check the answer to a send, and write it down."""
        if isinstance(answer, Refused):
            assert type(answer.refusal) is expected, (answer, expected)
            self.oracle.records.append(history.Refused(record.key))
        else:
            assert not isinstance(expected, type), (answer, expected)
            assert expected[1:] == (answer.recipient_id, answer.position)
            receipt = history.Receipt(record.key, answer.recipient_id, answer.position)
            self.oracle.records.append(receipt)

    @precondition(lambda self: self.anybody() and self.model.keys)
    @rule(number=SOMEBODY, which=st.integers(0, 40), body=BODIES)
    def send_again(self, number: int, which: int, body: str) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        used = [it for it in self.model.keys if it[0] == seat.person.id]
        if used:
            _, name, key = used[which % len(used)]
            self.ask_to_send(seat, Send(name, body, key))

    def ask_to_send(self, seat: UserSession, send: Send) -> None:
        at_ms = int.from_bytes(send.key[:6])
        expected = self.judge_send(seat, send, at_ms=at_ms)
        record = self.record_of(seat, send)
        self.oracle.records.append(record)
        answer = self.oracle.ask(peer_of(seat), send)
        assert isinstance(answer, Accepted | Refused), answer
        if (
            isinstance(answer, Refused)
            and isinstance(answer.refusal, KeyExpired)
            and at_ms < self.oracle.now_ms - KEPT_MS
        ):
            # Known or not, it may be forgotten by now.
            expected = KeyExpired
            pair = (seat.person.id, send.recipient.lower(), send.key)
            if self.model.keys.pop(pair, None) is not None:
                self.model.forgotten.add(pair)
        elif expected is KeyExpired:
            expected = self.judge_late_send(seat, send)
        self.take_answer(record, answer, expected)
        if not isinstance(expected, type):
            self.keep(seat, send, expected)
        self.oracle.look()

    def record_of(self, seat: UserSession, send: Send) -> history.Sent:
        """A send as ``history`` knows it: what is one to the store has one key."""
        sender, name = seat.person.id, send.recipient.lower()
        key = send.key or self.new_key()
        name_and_body = f"{sender} {name} {send.body}".encode()
        return history.Sent(key + name_and_body, sender, name, send.body)

    # ---- receiving

    @rule(which=st.lists(st.tuples(SOMEBODY, ACKNOWLEDGED), min_size=1))
    def acknowledge(self, which: list[tuple[int, str]]) -> None:
        for number, up_to in which:
            seats = [it for it in self.oracle.seats.values() if it.peer]
            if seats:
                self.acknowledge_in(self.one_of(seats, number), up_to)

    def acknowledge_in(self, seat: UserSession, up_to: str) -> None:
        peer = peer_of(seat)
        position = {
            "first": min(seat.in_flight, default=0),
            "all": seat.cursor,
            "old": seat.person.acknowledged,
            "ahead": max(seat.cursor, seat.furthest),
            "too much": max(seat.cursor, seat.furthest) + 1,
        }[up_to]
        is_too_much = up_to == "too much"
        if not is_too_much:
            self.oracle.acknowledge(seat, position)
        peer.connection.hear()
        events = peer.acknowledge(position)
        refusals = [it for it in events if isinstance(it, Refused)]
        if is_too_much:
            refused_as(refusals[0], AcknowledgedTooMuch)
        else:
            assert all(it.id != peer._last_id for it in refusals), refusals
        self.oracle.look()

    @precondition(lambda self: any(it.erasing for it in self.oracle.seats.values()))
    @rule(numbers=st.lists(SOMEBODY, min_size=2), stays=SOMEBODY)
    def delete_while_others_write(self, numbers: list[int], stays: int) -> None:
        leaving = self.one_of(
            [it for it in self.oracle.seats.values() if it.erasing], stays
        )
        for number in numbers:
            if leaving not in self.oracle.seats.values() or leaving.erasing is None:
                return
            if number % 3 and self.anybody():
                seat = self.one_of(self.oracle.attached(), number)
                name = leaving.person.name
                self.ask_to_send(seat, Send(name, "hello", self.new_key()))
            else:
                self.acknowledge_in(leaving, "first")

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY)
    def deliver(self, number: int) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        if len(seat.goals) < LIMITS.operations // 2:
            peer, person = peer_of(seat), seat.person
            goal = DeliverGoal(len(person.mail), len(person.waiting()))
            seat.goals[peer._last_id + 1] = goal
            seat.asked = max(seat.asked, goal.position)
            peer.connection.hear()
            events = peer.do(Deliver())
            assert Started(peer._last_id) in events
            assert all(
                it.id in seat.goals for it in events if isinstance(it, DeliveryFinished)
            )
        self.oracle.look()

    # ---- listing

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY, after=st.sampled_from(("", "", "ada", "b")))
    def list_names(self, number: int, after: str) -> None:
        peer = peer_of(self.one_of(self.oracle.attached(), number))
        peer.connection.hear()
        for pattern in PATTERNS:
            self.list_names_like(peer, pattern, after)
        self.oracle.look()

    def list_names_like(self, peer: Peer, pattern: str, after: str) -> None:
        pages = [it for it in peer.do(List(pattern, after)) if isinstance(it, Listed)]
        whole = pattern if {"*", "?"} & set(pattern) else f"*{pattern}*"
        names = sorted(it for it in self.model.names if fnmatchcase(it, whole))
        names = [it for it in names if it > after]
        seats = [self.oracle.seats.get(self.model.names[it].id) for it in names]
        online = [it is not None and it.peer is not None for it in seats]
        assert [it for page in pages for it in page.names] == names
        assert [it for page in pages for it in page.online] == online
        assert [it.complete for it in pages[-2:]][-1]
