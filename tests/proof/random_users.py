"""Random users: whatever they do, while days pass and servers come and go.

Servers are stopped, or killed between any two calls of the store.
"""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chatcore.commands import Delete, InboxAction, OutboxAction, Request, Send
from chatcore.errors import (
    AccountInUse,
    CloseCode,
    OtherAccount,
    WrongCredentials,
)
from chatcore.events import (
    Deleted,
)
from tests.proof.harness import KillPoint
from tests.proof.oracle import LIMITS, DeletionUnderWay, UserSession, peer_of
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
        inbox=st.sampled_from(InboxAction),
        outbox=st.sampled_from(OutboxAction),
        dry_run=YES_OR_NO,
        keyed=YES_OR_NO,
        answers=YES_OR_NO,
    )
    def delete(  # noqa: PLR0913  # all that can be said of a deletion
        self,
        number: int,
        name: str,
        inbox: InboxAction,
        outbox: OutboxAction,
        *,
        here: bool,
        right: bool,
        dry_run: bool,
        keyed: bool,
        answers: bool,
    ) -> None:
        oracle, person = self.oracle, self.model.names.get(name)
        password = self.password_of(name, right=right)
        asking = (
            self.one_of(oracle.attached(), number) if here and self.anybody() else None
        )
        peer = peer_of(asking) if asking is not None else self.harness.peer()
        older = oracle.seats.get(person.id) if person else None
        command = Delete(
            username=name,
            password=password,
            inbox=inbox,
            outbox=outbox,
            dry_run=dry_run,
            key=self.new_key() if keyed else b"",
        )
        discard, retract = inbox is InboxAction.DISCARD, outbox is OutboxAction.RETRACT
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
                seat = UserSession(
                    person=person,
                    token=b"",
                    pushes=False,
                    cursor=person.acknowledged,
                )
                oracle.sit(seat, peer)
            seat.erasing = DeletionUnderWay(
                id=peer._last_id,
                key=command.key,
                discard=discard,
                retract=retract,
                up_to=len(person.mail),
                opened_here=asking is None,
            )
        oracle.look()

    @precondition(lambda self: any(it.in_flight for it in self.oracle.attached()))
    @rule(outbox=st.sampled_from(OutboxAction), keyed=YES_OR_NO)
    def leave_with_mail_unread(self, outbox: OutboxAction, *, keyed: bool) -> None:
        seats = self.oracle.attached()
        number = next(n for n, it in enumerate(seats) if it.in_flight)
        self.delete(
            number,
            seats[number].person.name,
            InboxAction.DELIVER,
            outbox,
            here=True,
            right=True,
            dry_run=False,
            keyed=keyed,
            answers=True,
        )

    @precondition(lambda self: self.oracle.receipts)
    @rule(number=SOMEBODY, right=MOSTLY)
    def delete_again(self, number: int, *, right: bool) -> None:
        key = list(self.oracle.receipts)[number % len(self.oracle.receipts)]
        person, first = self.oracle.receipts[key]
        password = person.password if right else WRONG
        peer = self.harness.peer()
        answer = self.oracle.ask(
            peer, Delete(username=person.name, password=password, key=key)
        )
        if right:
            assert answer == Deleted(peer._last_id, first.receipt)
        else:
            refused_as(answer, WrongCredentials)
        self.oracle.look()

    # ---- time, and the end of servers

    @rule(seconds=st.sampled_from((1, 3, 31, 3600, 8 * 86_400)))
    def pass_time(self, seconds: int) -> None:
        self.harness.pass_s(seconds)
        self.harness.tick()
        self.oracle.end_graces()
        oldest_ms = self.oracle.now_ms - KEPT_MS
        for kept in (self.oracle.receipts, self.creations):
            for key in [it for it in kept if int.from_bytes(it[:6]) < oldest_ms]:
                del kept[key]
        self.oracle.look()

    @rule(how=st.sampled_from(("not", "not", "killed", "killed", "stopped")))
    def restart(self, how: str) -> None:
        if how != "not":
            self.oracle.die(killed=how == "killed")
        self.oracle.look()

    @precondition(WritingUsers.anybody)
    @rule(number=SOMEBODY, name=NAMES, after=YES_OR_NO)
    def send_and_be_cut_off(self, number: int, name: str, *, after: bool) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        send = Send(name, "hello", self.new_key())
        expected = self.judge_send(seat, send, at_ms=self.oracle.now_ms)
        self.oracle.records.append(self.record_of(seat, send))
        self.run_and_die(seat, send, KillPoint("deposit", after=after))
        if after and not isinstance(expected, type):
            self.keep(seat, send, expected)
        self.oracle.die(killed=True)
        self.oracle.look()

    @precondition(WritingUsers.anybody)
    @rule(
        number=SOMEBODY,
        outbox=st.sampled_from(OutboxAction),
        call=st.sampled_from(("delete_account", "left_to_discard", "clean_up")),
        after=YES_OR_NO,
    )
    def delete_and_be_cut_off(
        self, number: int, outbox: OutboxAction, call: str, *, after: bool
    ) -> None:
        seat = self.one_of(self.oracle.attached(), number)
        person, peer = seat.person, peer_of(seat)
        command = Delete(
            username=person.name,
            password=person.password,
            inbox=InboxAction.DISCARD,
            outbox=outbox,
            key=self.new_key(),
        )
        self.run_and_die(seat, command, KillPoint(call, after=after))
        if after or call != "delete_account":
            erasing = DeletionUnderWay(
                id=peer._last_id,
                key=command.key,
                discard=True,
                retract=outbox is OutboxAction.RETRACT,
                up_to=0,
                opened_here=False,
            )
            self.oracle.delete(person, erasing)
            self.oracle.rise(seat)
        self.oracle.die(killed=True)
        self.oracle.look()

    def run_and_die(
        self, seat: UserSession, command: Send | Delete, death: KillPoint
    ) -> None:
        peer = peer_of(seat)
        work = self.harness.chat.execute(
            peer.connection, [Request(peer.next_id(), command)]
        )
        assert self.harness.do_and_die(work, death)


class OverMemory(RandomUsers):
    """Over the store that forgets."""

    is_durable = False


class OverFile(RandomUsers):
    """Over a file; a third of the runs, since each commit waits for the disk."""

    is_durable = True
