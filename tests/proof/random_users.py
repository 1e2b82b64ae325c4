"""Random users: whatever they do, while days pass and servers come and go.

Servers are stopped, or killed between any two calls of the store.
"""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chatcore.commands import Delete, Inbox, Outbox, Request, Send
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    OtherAccount,
    WrongCredentials,
)
from chatcore.events import (
    Deleted,
)
from tests.proof.house import LIMITS, Erasing, Seat, peer_of
from tests.proof.stage import Death
from tests.proof.users import (
    MOSTLY,
    NAMES,
    SOMEBODY,
    WRONG,
    YES_OR_NO,
    refused_as,
)
from tests.proof.writing_users import KEPT_MS, WritingUsers


class RandomUsers(WritingUsers):
    """Those who write also delete accounts, and outlive servers."""

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

    @precondition(WritingUsers.anybody)
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

    @precondition(WritingUsers.anybody)
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
