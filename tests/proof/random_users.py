"""Random users: what they do beyond coming and going, and what has to come of it.

They write, read, list and delete, days pass, and servers are killed between any two
calls of the store.
"""

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chatcore.commands import Delete, Deliver, Inbox, List, Outbox, Request, Send
from chatcore.errors import (
    AccountInUse,
    AcknowledgedTooMuch,
    CloseCode,
    InvalidBody,
    InvalidKey,
    InvalidUsername,
    KeyExpired,
    KeyReused,
    MailboxClosing,
    MailboxFull,
    NoSuchRecipient,
    OtherAccount,
    Refusal,
    WrongCredentials,
)
from chatcore.events import (
    Accepted,
    Deleted,
    DeliveryFinished,
    Listed,
    Refused,
    Started,
)
from chatcore.limits import DAY_MS
from tests.proof import history
from tests.proof.house import LIMITS, Erasing, Goal, Seat, peer_of
from tests.proof.model import FirstSend, Letter
from tests.proof.stage import Death
from tests.proof.users import (
    MOSTLY,
    NAMES,
    SOMEBODY,
    WRONG,
    YES_OR_NO,
    ComingUsers,
    refused_as,
)

RECIPIENTS: Final = st.sampled_from(
    ("ada", "bob", "cy", "ada", "bob", "cy", "Ada", "nobody", "b*b")
)
BODIES: Final = st.sampled_from(("hello", "hello", "world", "world", "\0", ""))
KEYS: Final = st.sampled_from(("new", "new", "new", "none", "late", "expired", "wrong"))
ACKNOWLEDGED: Final = st.sampled_from(
    ("all", "all", "first", "ahead", "old", "too much")
)
PATTERNS: Final = st.sampled_from(("", "a", "*", "?o?", "c*", "*d*a", "ada", "x*"))
KEPT_MS: Final = LIMITS.key_lifetime_ms


class RandomUsers(ComingUsers):
    """Those who come also write, read, list and delete, while servers come and go."""

    # ---- sending

    def judge_send(
        self, seat: Seat, send: Send, *, at_ms: int
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
        to = self.model.names.get(name)
        if send.key and known is not None:
            return known if known[0] == send.body else KeyReused
        if send.key and at_ms < self.house.now_ms - KEPT_MS:
            return KeyExpired
        if to is None:
            return NoSuchRecipient
        reader = self.house.seats.get(to.id)
        if reader is not None and reader.refuses_mail:
            return MailboxClosing
        if len(to.messages()) >= LIMITS.mailbox_messages:
            return MailboxFull
        return send.body, to.id, len(to.mail) + 1

    def keep(self, seat: Seat, send: Send, first: FirstSend) -> None:
        """Have the model store what was accepted, unless it is a repeat."""
        body, recipient, position = first
        to = self.model.people[recipient]
        if position > len(to.mail):
            to.mail.append(Letter(seat.person, body))
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
            seat = self.one_of(self.house.attached(), number)
            self.ask_to_send(seat, Send(recipient, body, key))

    @precondition(ComingUsers.anybody)
    @rule(numbers=st.lists(SOMEBODY, min_size=1, max_size=6), recipient=NAMES)
    def send_much(self, numbers: list[int], recipient: str) -> None:
        for number in numbers:
            seat = self.one_of(self.house.attached(), number)
            self.ask_to_send(seat, Send(recipient, "hello", self.new_key()))

    @precondition(lambda self: self.anybody() and self.model.keys)
    @rule(number=SOMEBODY, which=st.integers(0, 40), body=BODIES)
    def send_again(self, number: int, which: int, body: str) -> None:
        seat = self.one_of(self.house.attached(), number)
        used = [it for it in self.model.keys if it[0] == seat.person.id]
        if used:
            _, name, key = used[which % len(used)]
            self.ask_to_send(seat, Send(name, body, key))

    def ask_to_send(self, seat: Seat, send: Send) -> None:
        at_ms = int.from_bytes(send.key[:6])
        expected = self.judge_send(seat, send, at_ms=at_ms)
        record = self.record_of(seat, send)
        self.house.records.append(record)
        answer = self.house.ask(peer_of(seat), send)
        if isinstance(answer, Refused):
            self.house.records.append(history.Refused(record.key))
            reason = type(answer.refusal)
            if reason is KeyExpired and at_ms < self.house.now_ms - KEPT_MS:
                # Known or not, it may be forgotten by now.
                pair = (seat.person.id, send.recipient.lower(), send.key)
                self.model.keys.pop(pair, None)
            else:
                assert reason is expected, (answer, expected)
        else:
            assert isinstance(answer, Accepted), answer
            assert not isinstance(expected, type), (answer, expected)
            assert expected[1:] == (answer.recipient_id, answer.position)
            receipt = history.Receipt(record.key, answer.recipient_id, answer.position)
            self.house.records.append(receipt)
            self.keep(seat, send, expected)
        self.house.look()

    def record_of(self, seat: Seat, send: Send) -> history.Sent:
        """A send as ``history`` knows it: what is one to the store has one key."""
        sender, name = seat.person.id, send.recipient.lower()
        key = send.key or self.new_key()
        name_and_body = f"{sender} {name} {send.body}".encode()
        return history.Sent(key + name_and_body, sender, name, send.body)

    # ---- receiving

    @rule(which=st.lists(st.tuples(SOMEBODY, ACKNOWLEDGED), min_size=1))
    def acknowledge(self, which: list[tuple[int, str]]) -> None:
        for number, up_to in which:
            seats = [it for it in self.house.seats.values() if it.peer]
            if seats:
                self.acknowledge_in(self.one_of(seats, number), up_to)

    def acknowledge_in(self, seat: Seat, up_to: str) -> None:
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
            self.house.acknowledge(seat, position)
        peer.connection.hear()
        events = peer.acknowledge(position)
        refusals = [it for it in events if isinstance(it, Refused)]
        if is_too_much:
            refused_as(refusals[0], AcknowledgedTooMuch)
        else:
            assert all(it.id != peer._last_id for it in refusals), refusals
        self.house.look()

    @precondition(lambda self: any(it.erasing for it in self.house.seats.values()))
    @rule(numbers=st.lists(SOMEBODY, min_size=2), stays=SOMEBODY)
    def delete_while_others_write(self, numbers: list[int], stays: int) -> None:
        leaving = self.one_of(
            [it for it in self.house.seats.values() if it.erasing], stays
        )
        for number in numbers:
            if leaving not in self.house.seats.values() or leaving.erasing is None:
                return
            if number % 3 and self.anybody():
                seat = self.one_of(self.house.attached(), number)
                name = leaving.person.name
                self.ask_to_send(seat, Send(name, "hello", self.new_key()))
            else:
                self.acknowledge_in(leaving, "first")

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY)
    def deliver(self, number: int) -> None:
        seat = self.one_of(self.house.attached(), number)
        if len(seat.goals) < LIMITS.operations // 2:
            peer, person = peer_of(seat), seat.person
            goal = Goal(len(person.mail), len(person.waiting()))
            seat.goals[peer._last_id + 1] = goal
            seat.asked = max(seat.asked, goal.position)
            peer.connection.hear()
            events = peer.do(Deliver())
            assert Started(peer._last_id) in events
            assert all(
                it.id in seat.goals for it in events if isinstance(it, DeliveryFinished)
            )
        self.house.look()

    # ---- listing

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY, pattern=PATTERNS, after=st.sampled_from(("", "ada", "b")))
    def list_names(self, number: int, pattern: str, after: str) -> None:
        peer = peer_of(self.one_of(self.house.attached(), number))
        peer.connection.hear()
        pages = [it for it in peer.do(List(pattern, after)) if isinstance(it, Listed)]
        whole = pattern if {"*", "?"} & set(pattern) else f"*{pattern}*"
        names = sorted(it for it in self.model.names if fnmatchcase(it, whole))
        names = [it for it in names if it > after]
        seats = [self.house.seats.get(self.model.names[it].id) for it in names]
        online = [it is not None and it.peer is not None for it in seats]
        assert [it for page in pages for it in page.names] == names
        assert [it for page in pages for it in page.online] == online
        assert [it.complete for it in pages[-2:]][-1]
        self.house.look()

    # ---- deleting

    @rule(
        number=SOMEBODY,
        here=YES_OR_NO,
        name=NAMES,
        right=MOSTLY,
        inbox=st.sampled_from(Inbox),
        outbox=st.sampled_from(Outbox),
        dry_run=YES_OR_NO,
        keyed=YES_OR_NO,
        answers=YES_OR_NO,
    )
    def delete(  # noqa: PLR0913  # all that can be said of a deletion
        self,
        number: int,
        name: str,
        inbox: Inbox,
        outbox: Outbox,
        *,
        here: bool,
        right: bool,
        dry_run: bool,
        keyed: bool,
        answers: bool,
    ) -> None:
        house, person = self.house, self.model.names.get(name)
        password = self.password_of(name, right=right)
        asking = (
            self.one_of(house.attached(), number) if here and self.anybody() else None
        )
        peer = peer_of(asking) if asking is not None else self.stage.peer()
        older = house.seats.get(person.id) if person else None
        command = Delete(
            username=name,
            password=password,
            inbox=inbox,
            outbox=outbox,
            dry_run=dry_run,
            key=self.new_key() if keyed else b"",
        )
        discard, retract = inbox is Inbox.DISCARD, outbox is Outbox.RETRACT
        rival = None if older is asking or dry_run else older
        in_use = self.is_in_use(rival, answers=answers, replaces=False)
        elsewhere = older is not asking and older is not None and older.peer
        answer = self.ask_over(peer, command, rival, answers=answers)
        if asking is not None and asking.person.name != name:
            assert answer is not None
            refused_as(answer, OtherAccount)
        elif person is None or person.password != password:
            assert answer is not None
            refused_as(answer, WrongCredentials)
        elif in_use or (dry_run and elsewhere):
            assert answer is not None
            refused_as(answer, AccountInUse)
        elif dry_run:
            receipt, _, _ = self.model.would_delete(
                person,
                discard=discard,
                retract=retract,
                bounce_messages=LIMITS.bounce_messages,
            )
            assert Deleted(peer._last_id, replace(receipt, dry_run=True)) in peer.events
        else:
            assert answer is None
            seat = asking
            if seat is None:
                self.make_way(older, CloseCode.UNRESPONSIVE)
                seat = Seat(
                    person=person,
                    token=b"",
                    pushes=False,
                    cursor=person.acknowledged,
                )
                house.sit(seat, peer)
            seat.erasing = Erasing(
                id=peer._last_id,
                key=command.key,
                discard=discard,
                retract=retract,
                up_to=len(person.mail),
                opened_here=asking is None,
            )
        house.look()

    @precondition(lambda self: any(it.in_flight for it in self.house.attached()))
    @rule(outbox=st.sampled_from(Outbox), keyed=YES_OR_NO)
    def leave_with_mail_unread(self, outbox: Outbox, *, keyed: bool) -> None:
        seats = self.house.attached()
        number = next(n for n, it in enumerate(seats) if it.in_flight)
        self.delete(
            number,
            seats[number].person.name,
            Inbox.DELIVER,
            outbox,
            here=True,
            right=True,
            dry_run=False,
            keyed=keyed,
            answers=True,
        )

    @precondition(lambda self: self.house.receipts)
    @rule(number=SOMEBODY, right=MOSTLY)
    def delete_again(self, number: int, *, right: bool) -> None:
        key = list(self.house.receipts)[number % len(self.house.receipts)]
        person, first = self.house.receipts[key]
        password = person.password if right else WRONG
        peer = self.stage.peer()
        answer = self.house.ask(
            peer, Delete(username=person.name, password=password, key=key)
        )
        if right:
            assert answer == Deleted(peer._last_id, first.receipt)
        else:
            refused_as(answer, WrongCredentials)
        self.house.look()

    # ---- time, and the end of servers

    @rule(seconds=st.sampled_from((1, 3, 31, 3600, 8 * 86_400)))
    def pass_time(self, seconds: int) -> None:
        self.stage.pass_s(seconds)
        self.stage.tick()
        self.house.end_graces()
        oldest_ms = self.house.now_ms - KEPT_MS
        for kept in (self.house.receipts, self.creations):
            for key in [it for it in kept if int.from_bytes(it[:6]) < oldest_ms]:
                del kept[key]
        self.house.look()

    @rule(how=st.sampled_from(("not", "not", "killed", "killed", "stopped")))
    def restart(self, how: str) -> None:
        if how != "not":
            self.house.die(killed=how == "killed")
        self.house.look()

    @precondition(ComingUsers.anybody)
    @rule(number=SOMEBODY, name=NAMES, after=YES_OR_NO)
    def send_and_be_cut_off(self, number: int, name: str, *, after: bool) -> None:
        seat = self.one_of(self.house.attached(), number)
        send = Send(name, "hello", self.new_key())
        expected = self.judge_send(seat, send, at_ms=self.house.now_ms)
        self.house.records.append(self.record_of(seat, send))
        self.run_and_die(seat, send, Death("deposit", after=after))
        if after and not isinstance(expected, type):
            self.keep(seat, send, expected)
        self.house.die(killed=True)
        self.house.look()

    @precondition(ComingUsers.anybody)
    @rule(
        number=SOMEBODY,
        outbox=st.sampled_from(Outbox),
        call=st.sampled_from(("delete_account", "clean_up")),
        after=YES_OR_NO,
    )
    def delete_and_be_cut_off(
        self, number: int, outbox: Outbox, call: str, *, after: bool
    ) -> None:
        seat = self.one_of(self.house.attached(), number)
        person, peer = seat.person, peer_of(seat)
        command = Delete(
            username=person.name,
            password=person.password,
            inbox=Inbox.DISCARD,
            outbox=outbox,
            key=self.new_key(),
        )
        self.run_and_die(seat, command, Death(call, after=after))
        if after or call == "clean_up":
            erasing = Erasing(
                id=peer._last_id,
                key=command.key,
                discard=True,
                retract=outbox is Outbox.RETRACT,
                up_to=0,
                opened_here=False,
            )
            self.house.delete(person, erasing)
            self.house.rise(seat)
        self.house.die(killed=True)
        self.house.look()

    def run_and_die(self, seat: Seat, command: Send | Delete, death: Death) -> None:
        peer = peer_of(seat)
        work = self.stage.chat.execute(
            peer.connection, [Request(peer.next_id(), command)]
        )
        assert self.stage.do_and_die(work, death)


class OverMemory(RandomUsers):
    """Over the store that forgets."""

    store = "memory"


class OverFile(RandomUsers):
    """Over a file; a third of the runs, since each commit waits for the disk."""

    store = "sqlite"
