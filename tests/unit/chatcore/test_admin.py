"""What the operator may do: sessions, accounts, mailboxes (A3, A6, D2 to D5)."""

import unittest
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import TypeVar

from chatcore import InboxAction, OutboxAction, Registration
from chatcore.commands import Acknowledge, Delete, Login, Resume, Send
from chatcore.errors import (
    AccountInUse,
    AccountsElsewhere,
    CloseCode,
    InvalidPassword,
    InvalidUsername,
    MailboxNotEmpty,
    NameTaken,
    NoSuchAccount,
    OutcomeUnknown,
    SessionGone,
    StoreUnavailable,
    WrongCredentials,
)
from chatcore.events import Bounced, Closing, LoggedIn, Refused, Resumed
from chatcore.ids import AccountId
from chatcore.limits import Limits
from chatcore.model import (
    AuditAction,
    Bounce,
    DeletionReceipt,
    MailboxContents,
    Message,
    SentMessage,
)
from chatcore.reports import AccountExport
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, Peer, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.marks import rule

T = TypeVar("T")


class AdminCase(unittest.TestCase):
    """A chat, and its operator."""

    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.admin = self.fixture.chat.admin

    def result(self, asked: Coroutine[object, None, T]) -> T:
        """What the operator is answered."""
        answers: list[T] = []
        self.fixture.do(self._keep(asked, answers))
        (answer,) = answers
        return answer

    @staticmethod
    async def _keep(asked: Coroutine[object, None, T], answers: list[T]) -> None:
        answers.append(await asked)

    def refused(self, kind: type[Exception], asked: Coroutine[object, None, T]) -> None:
        """See that the operator is refused, and for what."""
        self.result(self.expect(kind, asked))

    async def expect(
        self, kind: type[Exception], asked: Coroutine[object, None, object]
    ) -> None:
        with self.assertRaises(kind):
            await asked

    def walked(self, pages: AsyncIterator[Sequence[T]]) -> list[T]:
        """All that came in pages."""

        async def walk() -> list[T]:
            return [it async for page in pages for it in page]

        return self.result(walk())

    def closing(self, peer: Peer) -> list[CloseCode]:
        return [it.code for it in of_type(peer.events, Closing)]


class SessionsTest(AdminCase):
    def test_the_operator_sees_who_is_there_and_since_when(self) -> None:
        ada = self.fixture.peer("192.0.2.7")
        ada.log_in("ada")
        bob = self.fixture.user("bob")
        bob.do(Send("ada", "one"), Send("ada", "two"))
        self.fixture.pass_s(5)
        bob.lose()
        self.fixture.pass_s(2)

        attached, detached = self.admin.sessions()

        self.assertEqual(
            (attached.username, attached.is_attached, attached.address),
            ("ada", True, "192.0.2.7"),
        )
        self.assertEqual(attached.since_ms, NOON_MS)
        self.assertEqual(attached.unacknowledged, 2)
        self.assertEqual(
            (detached.username, detached.is_attached, detached.address),
            ("bob", False, ""),
        )
        self.assertEqual(detached.since_ms, NOON_MS + 5000)

    @rule("E2", "S6")
    def test_a_session_that_the_operator_ends_is_not_resumed(self) -> None:
        ada = self.fixture.user("ada")

        ended = self.result(self.admin.end_session("Ada"))

        self.assertTrue(ended)
        self.assertEqual(self.closing(ada), [CloseCode.SESSION_ENDED])
        self.assertFalse(CloseCode.SESSION_ENDED.may_reconnect)
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(ada.token)), SessionGone
        )
        self.fixture.restart()
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(ada.token)), SessionGone
        )
        self.fixture.user("ada")

    def test_one_that_waits_to_be_resumed_is_ended_as_well(self) -> None:
        ada = self.fixture.user("ada")
        ada.lose()

        ended = self.result(self.admin.end_session("ada"))

        self.assertTrue(ended)
        self.assertEqual(list(self.admin.sessions()), [])
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(ada.token)), SessionGone
        )

    def test_who_is_not_there_has_no_session_to_end(self) -> None:
        self.fixture.account("ada")

        ended = self.result(self.admin.end_session("ada"))

        self.assertFalse(ended)
        self.refused(NoSuchAccount, self.admin.end_session("nobody"))

    @rule("S6")
    def test_a_resume_that_is_under_way_does_not_outlive_the_end(self) -> None:
        ada = self.fixture.user("ada")
        ada.lose()
        again = self.fixture.peer()
        waiting = self.fixture.store.hold_after("resume_session")
        again.do(Resume(ada.token))

        self.result(self.admin.end_session("ada"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(of_type(again.events, Resumed), [])
        self.fixture.restart()
        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(ada.token)), SessionGone
        )


class AccountsTest(AdminCase):
    @rule("L1")
    def test_accounts_are_walked_in_order_and_by_pattern(self) -> None:
        self.fixture = ChatFixture(Limits(walk_names=2))
        self.admin = self.fixture.chat.admin
        for name in ("bob", "ada", "abe", "eve"):
            self.fixture.account(name)
        self.fixture.user("ada")

        found = self.walked(self.admin.accounts())
        some = self.walked(self.admin.accounts("a*"))

        self.assertEqual([it.username for it in found], ["abe", "ada", "bob", "eve"])
        self.assertEqual([it.is_online for it in found], [False, True, False, False])
        self.assertEqual([it.username for it in some], ["abe", "ada"])

    @rule("A3")
    def test_the_operator_makes_accounts_where_nobody_else_may(self) -> None:
        self.fixture = ChatFixture(registration=Registration.CLOSED)
        self.admin = self.fixture.chat.admin

        account = self.result(self.admin.create_account("Ada", PASSWORD))

        self.assertEqual(account, AccountId(1))
        answer = self.fixture.peer().ask(Login(username="ada", password=PASSWORD))
        self.assertIsInstance(answer, LoggedIn)
        self.refused(NameTaken, self.admin.create_account("ada", PASSWORD))
        self.refused(InvalidUsername, self.admin.create_account("a!", PASSWORD))
        self.refused(InvalidPassword, self.admin.create_account("bob", "short"))

    @rule("A6")
    def test_a_reset_ends_the_session_and_every_token(self) -> None:
        ada = self.fixture.user("ada")

        self.result(self.admin.reset_password("ada", "another one"))

        self.assertEqual(self.closing(ada), [CloseCode.PASSWORD_CHANGED])
        peer = self.fixture.peer()
        self.assertIsInstance(peer.refusal(Resume(ada.token)), SessionGone)
        self.assertIsInstance(
            peer.refusal(Login(username="ada", password=PASSWORD)), WrongCredentials
        )
        self.assertIsInstance(
            peer.ask(Login(username="ada", password="another one")), LoggedIn
        )

    @rule("A6")
    def test_so_it_does_with_a_session_that_waits_and_after_a_restart(self) -> None:
        ada = self.fixture.user("ada")
        ada.lose()

        self.result(self.admin.reset_password("ada", "another one"))
        self.fixture.restart()

        self.assertIsInstance(
            self.fixture.peer().refusal(Resume(ada.token)), SessionGone
        )

    @rule("A6")
    def test_a_login_whose_password_is_reset_meanwhile_opens_nothing(self) -> None:
        self.fixture.account("ada")
        peer = self.fixture.peer()
        waiting = self.fixture.store.hold("open_session")
        peer.do(Login(username="ada", password=PASSWORD))

        self.result(self.admin.reset_password("ada", "another one"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        (refused,) = of_type(peer.events, Refused)
        self.assertIsInstance(refused.refusal, WrongCredentials)
        self.assertEqual(list(self.admin.sessions()), [])

    @rule("A6")
    def test_a_reset_holds_over_a_change_in_between(self) -> None:
        self.fixture.account("ada")
        waiting = self.fixture.store.hold("change_password")
        self.fixture.do(self.admin.reset_password("ada", "the second"))

        self.result(self.admin.reset_password("ada", "the first"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        answer = self.fixture.peer().ask(Login(username="ada", password="the second"))
        self.assertIsInstance(answer, LoggedIn)

    @rule("E2")
    def test_a_reset_that_is_refused_changes_nothing(self) -> None:
        ada = self.fixture.user("ada")
        self.fixture.store.fail("change_password", StoreUnavailable(reason="disk"))

        self.refused(NoSuchAccount, self.admin.reset_password("bob", "another one"))
        self.refused(InvalidPassword, self.admin.reset_password("ada", "short"))
        self.refused(StoreUnavailable, self.admin.reset_password("ada", "another one"))

        self.assertEqual(self.closing(ada), [])
        ada.do(Send("ada", "still here"))
        self.assertEqual(ada.bodies, ["still here"])

    @rule("A2")
    def test_the_users_of_an_application_are_not_made_or_reset(self) -> None:
        self.fixture = ChatFixture(credentials=Anyone())
        self.admin = self.fixture.chat.admin
        ada = self.fixture.user("ada")

        self.refused(AccountsElsewhere, self.admin.create_account("bob", PASSWORD))
        self.refused(AccountsElsewhere, self.admin.reset_password("ada", PASSWORD))

        self.assertTrue(self.result(self.admin.end_session("ada")))
        self.assertEqual(self.closing(ada), [CloseCode.SESSION_ENDED])


class Anyone:
    """An application that knows everybody."""

    async def check(self, username: str, password: str) -> bool:
        return bool(username) and password == PASSWORD


class DeletionTest(AdminCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob = self.fixture.user("bob")
        self.ada = self.fixture.user("ada")
        self.ada.do(Send("bob", "from ada"), Send("bob", "again"))
        self.fixture.account("eve")
        self.ada.do(Send("eve", "for later"))
        self.bob.do(Send("ada", "one"))

    @rule("D2", "D3", "D4")
    def test_the_operator_deletes_an_account_that_is_in_use(self) -> None:
        receipt = self.result(
            self.admin.delete_account("ada", outbox=OutboxAction.RETRACT)
        )

        self.assertEqual(receipt, DeletionReceipt(discarded=1, bounces=1, retracted=3))
        self.assertEqual(self.closing(self.ada), [CloseCode.ACCOUNT_DELETED])
        self.assertEqual(len(of_type(self.bob.events, Bounced)), 1)
        self.refused(NoSuchAccount, self.admin.delete_account("ada"))

    @rule("D5")
    def test_a_dry_run_counts_and_changes_nothing(self) -> None:
        receipt = self.result(self.admin.delete_account("ada", dry_run=True))

        self.assertEqual(
            receipt, DeletionReceipt(dry_run=True, discarded=1, bounces=1, kept=3)
        )
        self.assertEqual(self.closing(self.ada), [])

    @rule("D2", "E2")
    def test_it_may_be_left_to_an_account_for_which_nothing_waits(self) -> None:
        asked = self.admin.delete_account("ada", inbox=InboxAction.DELIVER)
        self.refused(MailboxNotEmpty, asked)
        self.assertEqual(self.closing(self.ada), [])
        self.ada.acknowledge(1)

        receipt = self.result(
            self.admin.delete_account("ada", inbox=InboxAction.DELIVER)
        )

        self.assertEqual(receipt, DeletionReceipt(kept=3))

    @rule("D2", "E2")
    def test_what_comes_in_between_leaves_the_account_open_and_whole(self) -> None:
        self.ada.acknowledge(1)
        waiting = self.fixture.store.hold_after("mailbox")
        self.fixture.do(
            self.expect(
                MailboxNotEmpty,
                self.admin.delete_account("ada", inbox=InboxAction.DELIVER),
            )
        )

        self.bob.do(Send("ada", "in between"))
        waiting.end(answer=True)
        self.fixture.scheduler.run()
        self.bob.do(Send("ada", "after"))

        self.assertEqual(self.ada.bodies, ["one", "in between", "after"])
        self.assertEqual(self.closing(self.ada), [])

    @rule("D1", "D2")
    def test_a_deletion_of_the_owners_makes_way(self) -> None:
        command = Delete(username="ada", password=PASSWORD)
        self.ada.do(command)

        receipt = self.result(self.admin.delete_account("ada"))
        self.fixture.scheduler.run()

        self.assertEqual(receipt, DeletionReceipt(discarded=1, bounces=1, kept=3))
        self.refused(NoSuchAccount, self.admin.mailbox("ada"))

    @rule("D5", "E2")
    def test_a_login_that_comes_in_between_does_not_stop_it(self) -> None:
        waiting = self.fixture.store.hold("delete_account")
        self.fixture.do(self.delete("eve"))
        eve = self.fixture.user("eve")

        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(self.closing(eve), [CloseCode.ACCOUNT_DELETED])
        self.refused(NoSuchAccount, self.admin.mailbox("eve"))

    @rule("D5", "E2")
    def test_logins_that_come_in_between_again_and_again_refuse_it(self) -> None:
        waiting = self.fixture.store.hold("delete_account")
        self.fixture.do(self.expect(AccountInUse, self.admin.delete_account("eve")))
        for _ in range(3):
            held, waiting = waiting, self.fixture.store.hold("delete_account")
            self.fixture.user("eve")
            held.end(answer=True)
            self.fixture.scheduler.run()

        self.assertEqual(self.result(self.admin.mailbox("eve")).contents.messages, 1)

    async def delete(self, username: str) -> None:
        await self.admin.delete_account(username)

    @rule("D5", "M1")
    def test_a_decision_whose_outcome_was_unknown_is_cleaned_up_after(self) -> None:
        self.fixture.tick()
        self.fixture.store.fail_after("delete_account", OutcomeUnknown())
        self.refused(OutcomeUnknown, self.admin.delete_account("ada"))

        self.fixture.tick()

        self.assertEqual(len(of_type(self.bob.events, Bounced)), 1)

    @rule("D5")
    def test_what_an_outage_leaves_is_finished_later(self) -> None:
        self.fixture.store.fail("clean_up", StoreUnavailable(reason="disk"))
        self.refused(StoreUnavailable, self.admin.delete_account("ada"))

        self.fixture.tick()

        self.assertEqual(len(of_type(self.bob.events, Bounced)), 1)
        self.refused(NoSuchAccount, self.admin.mailbox("ada"))


class MailboxesTest(AdminCase):
    def test_mailboxes_are_counted(self) -> None:
        ada, bob = self.fixture.user("ada"), self.fixture.user("bob")
        self.fixture.account("eve")
        ada.do(Send("eve", "one"), Send("eve", "zwölf"))
        self.fixture.pass_s(1)
        bob.do(Send("eve", "three"))

        one = self.result(self.admin.mailbox("Eve"))
        found = self.walked(self.admin.mailboxes())

        self.assertEqual(
            one.contents,
            MailboxContents(messages=3, body_bytes=14, senders=2, oldest_at_ms=NOON_MS),
        )
        self.assertEqual([it.username for it in found], ["ada", "bob", "eve"])
        self.assertEqual([it.contents.messages for it in found], [0, 0, 3])
        self.assertEqual(self.walked(self.admin.mailboxes("e*")), [one])
        self.refused(NoSuchAccount, self.admin.mailbox("nobody"))


class ExportTest(AdminCase):
    def test_an_export_has_all_that_is_kept_about_an_account(self) -> None:
        self.fixture = ChatFixture(Limits(window_messages=2))
        self.admin = self.fixture.chat.admin
        ada, eve = self.fixture.user("ada"), self.fixture.user("eve")
        self.fixture.account("bob")
        ada.do(*[Send("bob", f"to bob {number}") for number in range(3)])
        ada.do(Send("eve", "bounces"))
        eve.do(*[Send("ada", f"to ada {number}") for number in range(3)])
        eve.do(Delete(username="eve", password=PASSWORD, inbox=InboxAction.DISCARD))

        everything = self.exported("ADA")
        self.refused(NoSuchAccount, self.first("nobody"))

        about, *rest = everything
        assert isinstance(about, AccountExport)
        self.assertEqual((about.username, about.account), ("ada", 1))
        self.assertEqual(about.record.created_at_ms, NOON_MS)
        self.assertTrue(about.record.has_session)
        self.assertNotIn("hash", repr(everything))
        waiting = [it.body for it in rest if isinstance(it, Message)]
        self.assertEqual(waiting, ["to ada 0", "to ada 1", "to ada 2"])
        bounces = [it for it in rest if isinstance(it, Bounce)]
        self.assertEqual([it.recipient for it in bounces], ["eve"])
        sent = [it for it in rest if isinstance(it, SentMessage)]
        self.assertEqual(
            [(it.recipient, it.body) for it in sent],
            [("bob", f"to bob {number}") for number in range(3)],
        )

    def test_what_is_acknowledged_meanwhile_may_be_missing(self) -> None:
        ada, bob = self.fixture.user("ada"), self.fixture.user("bob")
        ada.do(*[Send("bob", f"to bob {number}") for number in range(5)])
        acknowledged = iter((2, 5))

        async def walk() -> list[str]:
            bodies = []
            async for it in self.admin.export("ada"):
                if isinstance(it, SentMessage):
                    bodies.append(it.body)
                    upto = Acknowledge(next(acknowledged))
                    self.fixture.chat.acknowledge(bob.connection, [upto])
            return bodies

        self.assertEqual(self.result(walk()), ["to bob 0", "to bob 2"])

    def exported(self, username: str) -> list[object]:
        async def walk() -> list[object]:
            return [it async for it in self.admin.export(username)]

        return self.result(walk())

    async def first(self, username: str) -> object:
        return await anext(self.admin.export(username))


class RecordsTest(AdminCase):
    def test_what_the_operator_does_with_accounts_is_recorded_as_such(self) -> None:
        self.result(self.admin.create_account("ada", PASSWORD))
        self.result(self.admin.reset_password("ada", "another one"))
        self.result(self.admin.delete_account("ada", dry_run=True))
        self.result(self.admin.delete_account("ada"))

        events = self.fixture.surroundings.records.events
        self.assertEqual(
            [(it.action, it.origin.transport, it.username) for it in events],
            [
                (AuditAction.CREATE, "admin", "ada"),
                (AuditAction.CHANGE_PASSWORD, "admin", "ada"),
                (AuditAction.DELETE, "admin", "ada"),
            ],
        )

    @rule("E2", "B8")
    def test_what_the_operator_is_refused_about_an_account_is_recorded_too(
        self,
    ) -> None:
        self.fixture.account("ada")
        self.refused(NameTaken, self.admin.create_account("Ada", PASSWORD))
        self.refused(InvalidUsername, self.admin.create_account("a!", PASSWORD))
        self.refused(InvalidPassword, self.admin.reset_password("ada", "short"))
        self.refused(NoSuchAccount, self.admin.delete_account("nobody"))
        self.refused(NoSuchAccount, self.admin.delete_account("eve", dry_run=True))

        events = self.fixture.surroundings.records.events
        refused = [
            (it.action, it.origin.transport, it.username, it.refusal.code)
            for it in events
            if it.refusal is not None
        ]
        self.assertEqual(
            refused,
            [
                (AuditAction.CREATE, "admin", "ada", NameTaken.code),
                (AuditAction.CREATE, "admin", None, InvalidUsername.code),
                (AuditAction.CHANGE_PASSWORD, "admin", "ada", InvalidPassword.code),
                (AuditAction.DELETE, "admin", "nobody", NoSuchAccount.code),
                (AuditAction.DELETE, "admin", "eve", NoSuchAccount.code),
            ],
        )
