"""What the embedding application asks of a chat, without a link (A2, M1, M2, S6)."""

import unittest
from collections.abc import Coroutine, Sequence
from typing import TypeVar

from chatcore.commands import Login, OutboxAction, Resume, Send
from chatcore.errors import (
    AccountInUse,
    ChatError,
    CloseCode,
    Closed,
    InvalidBody,
    InvalidUsername,
    KeyReused,
    MailboxFull,
    NoSuchAccount,
    NoSuchRecipient,
    RateExceeded,
    Refusal,
    SessionGone,
    StoreUnavailable,
    WrongCredentials,
)
from chatcore.events import Accepted, Closing
from chatcore.http_statuses import STATUS_OF, http_status
from chatcore.ids import IdempotencyKey, Username
from chatcore.limits import Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture, of_type
from tests.unit.chatcore.environment import NOON_MS
from tests.unit.chatcore.marks import rule

T = TypeVar("T")


class Members:
    """The application's own users, who all have the same card."""

    async def check(self, username: Username, password: str) -> bool:
        return bool(username) and password == "a card"  # a test's


class NoWriting:
    """Lets nobody write."""

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        return [InvalidBody(maximum=0, bytes=len(sender)) for _ in sends]


def key_of(number: int) -> IdempotencyKey:
    """A UUIDv7 of noon, the tests' beginning of time."""
    tail = b"\x70\x00\x80" + number.to_bytes(7, "big")
    return IdempotencyKey(NOON_MS.to_bytes(6, "big") + tail)


class CallsCase(unittest.TestCase):
    """A chat that an application embeds."""

    def setUp(self) -> None:
        self.fixture = ChatFixture()
        self.chat = self.fixture.chat

    def result(self, asked: Coroutine[object, None, T]) -> T:
        """What the application is answered, or has to handle."""
        outcomes: list[T | ChatError] = []

        async def keep() -> None:
            try:
                outcomes.append(await asked)
            except ChatError as error:
                outcomes.append(error)

        self.fixture.do(keep())
        (outcome,) = outcomes
        if isinstance(outcome, ChatError):
            raise outcome
        return outcome


class AccountsTest(CallsCase):
    def test_an_account_is_made_once_and_has_its_id_for_ever(self) -> None:
        first = self.result(self.chat.ensure_account("Ada"))
        again = self.result(self.chat.ensure_account("ada"))

        self.assertEqual(first, again)

    @rule("A2")
    def test_nobody_can_log_in_to_it_before_it_has_a_password(self) -> None:
        self.result(self.chat.ensure_account("ada"))
        login = Login(username="ada", password=PASSWORD, create=True)

        refusal = self.fixture.peer().refusal(login)

        self.assertIsInstance(refusal, WrongCredentials)
        self.result(self.chat.admin.reset_password("ada", PASSWORD))
        self.assertEqual(self.fixture.user("ada").bodies, [])

    @rule("A1")
    def test_a_name_that_nobody_may_take_is_refused(self) -> None:
        for name in ("", "a b", "a" * 100):
            with self.subTest(name=name), self.assertRaises(InvalidUsername):
                self.result(self.chat.ensure_account(name))

    @rule("A2")
    def test_an_applications_user_has_mail_before_the_first_login(self) -> None:
        self.fixture = ChatFixture(credentials=Members())
        self.chat = self.fixture.chat
        self.result(self.chat.ensure_account("ada"))
        self.result(self.chat.ensure_account("shop"))

        self.result(self.chat.send("shop", "ada", "welcome"))

        self.assertEqual(self.result(self.chat.pending("ada")).queued, 1)

    def test_calls_about_nobody_say_so(self) -> None:
        for asked in (
            self.chat.send("nobody", "ada", "hello"),
            self.chat.pending("nobody"),
            self.chat.end_sessions("nobody"),
            self.chat.delete("nobody"),
        ):
            with self.assertRaises(NoSuchAccount):
                self.result(asked)


class SendingTest(CallsCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada = self.fixture.user("ada")
        self.fixture.account("bob")
        self.result(self.chat.ensure_account("shop"))

    @rule("M1")
    def test_a_message_is_stored_and_handed_to_who_is_here(self) -> None:
        receipt = self.result(self.chat.send("shop", "ada", "parcel sent"))

        (mail,) = self.ada.mail
        self.assertEqual(mail.position, receipt.position)
        self.assertEqual(self.ada.bodies, ["parcel sent"])
        self.assertEqual(self.result(self.chat.pending("ada")).queued, 1)

    @rule("M2")
    def test_a_repeat_under_its_key_has_the_first_receipt(self) -> None:
        first = self.result(self.chat.send("shop", "ada", "once", key=key_of(1)))
        again = self.result(self.chat.send("shop", "ada", "once", key=key_of(1)))

        self.assertEqual(again, first)
        self.assertEqual(self.ada.bodies, ["once"])
        with self.assertRaises(KeyReused):
            self.result(self.chat.send("shop", "ada", "twice", key=key_of(1)))

    @rule("S6")
    def test_a_sender_who_is_logged_in_goes_on(self) -> None:
        self.result(self.chat.send("ada", "bob", "for her"))

        self.assertIsInstance(self.ada.ask(Send("bob", "by herself")), Accepted)
        self.assertEqual(self.result(self.chat.pending("bob")).queued, 2)

    @rule("S6")
    def test_a_login_in_between_does_not_fence_what_the_application_sends(self) -> None:
        waiting = self.fixture.store.hold("deposit")
        receipts: list[Accepted] = []

        async def send() -> None:
            receipts.append(await self.chat.send("bob", "ada", "stored all the same"))

        self.fixture.do(send())
        bob = self.fixture.user("bob")
        waiting.end(answer=True)
        self.fixture.scheduler.run()

        self.assertEqual(len(receipts), 1)
        self.assertEqual(self.ada.bodies, ["stored all the same"])
        self.assertIsInstance(bob.ask(Send("ada", "he goes on")), Accepted)

    def test_many_are_stored_in_order_with_what_is_wrong_in_its_place(self) -> None:
        sends = [Send("ada", str(number)) for number in range(600)]
        sends[300] = Send("nobody", "lost")

        answers = self.result(self.chat.send_all("shop", sends))

        self.assertIsInstance(answers[300], NoSuchRecipient)
        refused = [it for it in answers if isinstance(it, Refusal)]
        self.assertEqual(len(refused), 1)
        pending = self.result(self.chat.pending("ada", limit=1000))
        expected = [str(number) for number in range(600) if number != 300]
        self.assertEqual([getattr(it, "body", "") for it in pending.mail], expected)

    @rule("M6")
    def test_what_a_client_would_be_refused_is_raised(self) -> None:
        self.fixture = ChatFixture(Limits(mailbox_messages=4))
        self.chat = self.fixture.chat
        self.fixture.account("ada")
        for refusal, recipient, body in (
            (NoSuchRecipient, "nobody", "hello"),
            (InvalidBody, "ada", ""),
            (InvalidBody, "ada", "x" * 70_000),
        ):
            with self.subTest(refusal=refusal), self.assertRaises(refusal):
                self.result(self.chat.send("ada", recipient, body))

        answers = self.result(
            self.chat.send_all("ada", [Send("ada", str(it)) for it in range(9)])
        )
        self.assertTrue(any(isinstance(it, Refusal) for it in answers))
        self.assertLessEqual(self.result(self.chat.pending("ada")).queued, 4)

    @rule("B5")
    def test_rates_and_the_policy_bind_users_and_not_the_application(self) -> None:
        self.fixture = ChatFixture(
            Limits(session_messages_per_s=1, account_messages_per_s=1),
            policy=NoWriting(),
        )
        self.chat = self.fixture.chat
        self.fixture.account("ada")

        answers = self.result(
            self.chat.send_all("ada", [Send("ada", str(it)) for it in range(50)])
        )

        self.assertEqual([it for it in answers if isinstance(it, Refusal)], [])

    def test_a_store_that_is_away_is_told(self) -> None:
        self.fixture.store.fail("deposit", StoreUnavailable(retry_after_ms=1))

        with self.assertRaises(StoreUnavailable):
            self.result(self.chat.send("shop", "ada", "hello"))


class LookingTest(CallsCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada = self.fixture.user("ada")
        self.result(self.chat.ensure_account("shop"))

    @rule("M4")
    def test_pending_mail_is_told_in_pages_and_stays(self) -> None:
        for number in range(5):
            self.result(self.chat.send("shop", "ada", str(number)))

        first = self.result(self.chat.pending("ada", limit=3))
        rest = self.result(
            self.chat.pending("ada", after=first.mail[-1].position, limit=3)
        )

        self.assertEqual((first.queued, len(first.mail)), (5, 3))
        self.assertEqual([getattr(it, "body", "") for it in rest.mail], ["3", "4"])
        self.ada.acknowledge(first.mail[-1].position)
        self.assertEqual(self.result(self.chat.pending("ada")).queued, 2)

    def test_sessions_are_told_and_ended(self) -> None:
        self.assertEqual([it.username for it in self.chat.sessions()], ["ada"])

        ended = self.result(self.chat.end_sessions("ada"))

        self.assertEqual(ended, 1)
        (closing,) = of_type(self.ada.events, Closing)
        self.assertIs(closing.code, CloseCode.SESSION_ENDED)
        self.assertEqual(list(self.chat.sessions()), [])
        refusal = self.fixture.peer().refusal(Resume(self.ada.token, 0))
        self.assertIsInstance(refusal, SessionGone)
        self.assertEqual(self.result(self.chat.end_sessions("ada")), 0)

    @rule("D2")
    def test_an_account_is_deleted_after_a_dry_run(self) -> None:
        self.result(self.chat.send("shop", "ada", "unread"))

        told = self.result(
            self.chat.delete("shop", outbox=OutboxAction.RETRACT, dry_run=True)
        )
        done = self.result(self.chat.delete("shop", outbox=OutboxAction.RETRACT))

        self.assertEqual((told.dry_run, told.retracted), (True, 1))
        self.assertEqual((done.dry_run, done.retracted), (False, 1))
        self.assertEqual(self.result(self.chat.pending("ada")).queued, 0)


class HttpStatusTest(unittest.TestCase):
    def test_each_refusal_has_a_status_of_its_own_kind(self) -> None:
        self.assertEqual(http_status(WrongCredentials()), 401)
        self.assertEqual(http_status(NoSuchRecipient(recipient="bob")), 404)
        self.assertEqual(http_status(InvalidBody(maximum=1, bytes=2)), 400)
        self.assertEqual(http_status(AccountInUse(username="ada")), 409)
        self.assertEqual(http_status(RateExceeded(retry_after_ms=1)), 429)
        self.assertEqual(http_status(StoreUnavailable(retry_after_ms=1)), 503)
        self.assertEqual(http_status(MailboxFull(recipient="bob")), 507)
        self.assertEqual(http_status(Closed(CloseCode.SHUTTING_DOWN, "")), 503)
        self.assertEqual(http_status(ChatError()), 500)

    def test_all_statuses_are_of_errors(self) -> None:
        self.assertTrue(all(400 <= it <= 599 for it in STATUS_OF.values()))
