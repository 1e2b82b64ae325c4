"""Limits that the operator changes while the chat runs (B1 to B6)."""

import unittest
from dataclasses import fields, replace
from typing import Any

from chatcore.commands import Create, List, Login, Resume, Send
from chatcore.errors import (
    InvalidBody,
    LimitFixed,
    MailboxFull,
    RateExceeded,
    SessionGone,
    TooManyAttempts,
    WrongCredentials,
)
from chatcore.events import Accepted, Resumed
from chatcore.limits import FIXED_LIMITS, Limits
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.marks import rule


class ChangingLimitsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.given = Limits()
        self.fixture = ChatFixture(self.given)
        self.chat = self.fixture.chat
        self.ada = self.fixture.user("ada")

    def change(self, **changes: Any) -> None:  # as many kinds as limits have
        self.chat.admin.change_limits(replace(self.chat.limits, **changes))

    @rule("M6", "B6")
    def test_a_smaller_mailbox_refuses_at_once_and_drops_nothing(self) -> None:
        self.fixture.account("bob")
        self.ada.do(*[Send("bob", "waits")] * 3)

        self.change(mailbox_messages=3)
        full = self.ada.refusal(Send("bob", "one more"))
        self.change(mailbox_messages=100)
        stored = self.ada.ask(Send("bob", "one more"))

        self.assertIsInstance(full, MailboxFull)
        self.assertIsInstance(stored, Accepted)
        self.assertEqual(self.fixture.user("bob").bodies, [*["waits"] * 3, "one more"])

    @rule("B5")
    def test_a_rate_holds_for_sessions_that_are_there(self) -> None:
        self.change(account_messages_per_s=1, rate_burst_s=1)
        stored = self.ada.ask(Send("ada", "one"))
        refused = self.ada.refusal(Send("ada", "two"))

        self.change(account_messages_per_s=0)
        free = self.ada.ask(Send("ada", "two"))

        self.assertIsInstance(stored, Accepted)
        self.assertIsInstance(refused, RateExceeded)
        self.assertIsInstance(free, Accepted)

    @rule("B5")
    def test_what_has_a_rate_already_follows_another(self) -> None:
        self.change(session_lists_per_s=1, rate_burst_s=1)
        self.ada.do(List())

        refused = self.ada.refusal(List())
        self.change(session_lists_per_s=0, account_lists_per_s=0)
        events = self.ada.do(List())

        self.assertIsInstance(refused, RateExceeded)
        self.assertTrue(events)

    @rule("B4")
    def test_wrong_passwords_are_throttled_as_it_says_now(self) -> None:
        self.change(wrong_passwords=1)
        peer = self.fixture.peer("192.0.2.1")
        guess = Login(username="ada", password="not hers")

        refusals = [type(peer.refusal(guess)) for _ in range(2)]

        self.assertEqual(refusals, [WrongCredentials, TooManyAttempts])

    @rule("S3")
    def test_a_grace_holds_for_those_who_are_in_it(self) -> None:
        bob = self.fixture.user("bob")
        self.ada.lose()
        bob.lose()

        self.change(grace_s=60)
        self.fixture.pass_s(40)
        self.fixture.tick()
        resumed = self.fixture.peer().ask(Resume(self.ada.token))
        self.change(grace_s=20)
        self.fixture.tick()
        gone = self.fixture.peer().refusal(Resume(bob.token))

        self.assertIsInstance(resumed, Resumed)
        self.assertIsInstance(gone, SessionGone)

    @rule("M6", "A2")
    def test_texts_are_measured_as_it_says_now(self) -> None:
        self.change(body_bytes=3, password_min_bytes=20)

        body = self.ada.refusal(Send("ada", "long"))
        password = self.fixture.peer().refusal(Create("bob", PASSWORD))

        self.assertIsInstance(body, InvalidBody)
        self.assertEqual(password.fields["minimum"], "20")

    @rule("E2")
    def test_what_holds_from_the_start_is_refused_by_name(self) -> None:
        for name in sorted(FIXED_LIMITS):
            before = replace(self.chat.limits)
            value = getattr(before, name)
            other = (not value) if isinstance(value, bool) else value + 1

            with self.subTest(name), self.assertRaises(LimitFixed) as refused:
                self.change(**{name: other, "operations": 1})

            self.assertEqual(refused.exception.fields["limit"], name)
            self.assertEqual(self.chat.limits, before)

    @rule("B1")
    def test_a_command_gets_no_larger_than_at_the_start(self) -> None:
        with self.assertRaises(LimitFixed) as refused:
            self.change(body_bytes=self.given.body_bytes + 1)
        self.change(body_bytes=100)
        self.change(body_bytes=self.given.body_bytes)

        self.assertEqual(refused.exception.fields["limit"], "body_bytes")

    def test_the_limits_that_an_application_gave_stay_as_they_are(self) -> None:
        self.change(operations=3)

        self.assertEqual(self.given, Limits())
        self.assertEqual(self.chat.limits, Limits(operations=3))
        self.assertLess(FIXED_LIMITS, {it.name for it in fields(Limits)})
