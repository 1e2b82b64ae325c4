"""The numbers and texts of refusals and of ends (E1, E2)."""

import re
import unittest

from chatcore.errors import (
    REFUSALS,
    Busy,
    ChatError,
    CloseCode,
    Closed,
    MailboxFull,
    Outage,
    Refusal,
    StoreUnavailable,
    refusal_from_wire,
)
from tests.unit.chatcore.marks import rule

NUMBERS = {
    100: "MALFORMED_COMMAND",
    101: "UNKNOWN_COMMAND",
    110: "INVALID_USERNAME",
    111: "INVALID_PASSWORD",
    112: "INVALID_BODY",
    113: "INVALID_PATTERN",
    114: "INVALID_KEY",
    115: "LIMIT_FIXED",
    116: "INVALID_PROOF",
    200: "LOGIN_REQUIRED",
    201: "ALREADY_LOGGED_IN",
    202: "WRONG_CREDENTIALS",
    203: "ACCOUNT_IN_USE",
    204: "NAME_TAKEN",
    205: "SESSION_GONE",
    206: "FENCED",
    207: "ACCOUNTS_ELSEWHERE",
    208: "REGISTRATION_CLOSED",
    210: "INVITATION_REFUSED",
    209: "NO_SUCH_ACCOUNT",
    211: "PROOF_REQUIRED",
    212: "PROOF_REFUSED",
    213: "PROOF_OF_ANOTHER",
    214: "PASSWORDS_ONLY",
    300: "NO_SUCH_RECIPIENT",
    301: "MAILBOX_FULL",
    302: "MAILBOX_CLOSING",
    303: "KEY_REUSED",
    304: "KEY_EXPIRED",
    305: "ACKNOWLEDGED_TOO_MUCH",
    306: "MAILBOX_SHARE",
    400: "OTHER_ACCOUNT",
    401: "DELETION_STALLED",
    402: "MAILBOX_NOT_EMPTY",
    500: "BUSY",
    501: "STORE_UNAVAILABLE",
    502: "OUTCOME_UNKNOWN",
    503: "SHUTTING_DOWN",
    504: "TOO_MANY_OPERATIONS",
    505: "TOO_MANY_ATTEMPTS",
    506: "RATE_EXCEEDED",
    507: "APPLICATION_UNAVAILABLE",
    599: "INTERNAL_ERROR",
}
"""A program may have these numbers in it: never change a line, only add one."""

CLOSE_NUMBERS = {
    4000: "SHUTTING_DOWN",
    4001: "UNRESPONSIVE",
    4002: "LOGIN_TIMEOUT",
    4003: "LINK_LOST",
    4004: "SERVER_FAULT",
    4005: "OVERLOADED",
    4006: "TOO_MANY_CONNECTIONS",
    4500: "BROKEN_FRAME",
    4501: "FRAME_TOO_LARGE",
    4502: "WRONG_VERSION",
    4503: "REPLACED",
    4504: "RESUMED_ELSEWHERE",
    4505: "ACCOUNT_DELETED",
    4506: "PASSWORD_CHANGED",
    4507: "ORIGIN_REFUSED",
    4508: "SESSION_ENDED",
    4509: "PROOF_EXPIRED",
}


def named_in(template: str) -> set[str]:
    """The fields that a text is composed of."""
    return set(re.findall(r"{(\w+)(?:!r)?}", template))


def every_class(branch: type[Refusal]) -> list[type[Refusal]]:
    """A branch of the tree, and all below it that is the chat's own."""
    found = [branch]
    for cls in branch.__subclasses__():
        found += every_class(cls)
    return [it for it in found if it.__module__ == "chatcore.errors"]


class RefusalTest(unittest.TestCase):
    @rule("E1")
    def test_each_refusal_keeps_its_number(self) -> None:
        numbers = {code: cls().name for code, cls in REFUSALS.items()}

        self.assertEqual(numbers, NUMBERS)

    @rule("E1")
    def test_no_two_refusals_share_a_number(self) -> None:
        numbered = [cls.code for cls in every_class(Refusal) if cls.code]

        self.assertEqual(len(numbered), len(set(numbered)))
        self.assertEqual(set(numbered), set(NUMBERS))

    @rule("E1")
    def test_each_text_is_one_sentence_composed_of_its_fields(self) -> None:
        for cls in REFUSALS.values():
            fields = {name: f"<{name}>" for name in named_in(cls.template)}

            refusal = cls(**fields)

            self.assertRegex(refusal.text, r"\A[A-Z<].*\.\Z")
            for value in fields.values():
                self.assertIn(value, refusal.text)
            self.assertEqual(refusal.fields, fields)
            self.assertEqual(str(refusal), f"[{cls.code}] {refusal.text}")

    @rule("E1")
    def test_fields_are_kept_as_text_for_programs(self) -> None:
        refusal = Busy(retry_after_ms=250)

        self.assertEqual(refusal.fields, {"retry_after_ms": "250"})
        self.assertEqual(refusal.text, "The server is busy; try again in 250 ms.")

    @rule("E1")
    def test_an_outage_says_when_to_try_again_if_that_helps(self) -> None:
        busy, broken = Busy(retry_after_ms=250), StoreUnavailable(reason="disk full")

        self.assertEqual((busy.retry_after_ms, broken.retry_after_ms), (250, 0))

    @rule("E1")
    def test_numbers_from_500_are_outages_and_the_others_are_not(self) -> None:
        for code, cls in REFUSALS.items():
            self.assertEqual(issubclass(cls, Outage), code >= 500, cls)

    @rule("E1")
    def test_a_refusal_is_the_same_after_the_wire(self) -> None:
        sent = MailboxFull(recipient="bob")

        read = refusal_from_wire(sent.code, sent.text, sent.fields)

        self.assertIs(type(read), MailboxFull)
        self.assertEqual((read.text, read.fields), (sent.text, sent.fields))

    @rule("E1")
    def test_a_number_that_is_not_known_keeps_the_text_of_the_server(self) -> None:
        read = refusal_from_wire(999, "The moon is full.", {"phase": "4"})

        self.assertIs(type(read), Refusal)
        self.assertEqual((read.code, read.text), (999, "The moon is full."))
        self.assertEqual(read.fields, {"phase": "4"})

    @rule("E1")
    def test_a_refusal_without_text_or_fields_is_told_in_our_words(self) -> None:
        read = refusal_from_wire(301, "", {})

        self.assertEqual(read.text, "The mailbox of - is full; nothing was dropped.")


class CloseTest(unittest.TestCase):
    @rule("E2")
    def test_each_end_keeps_its_number(self) -> None:
        self.assertEqual({int(it): it.name for it in CloseCode}, CLOSE_NUMBERS)

    @rule("E2")
    def test_the_range_of_an_end_says_whether_to_come_back(self) -> None:
        for code in CloseCode:
            self.assertEqual(code.may_reconnect, int(code) < 4500)
            self.assertIn(int(code), range(4000, 5000))

    @rule("E2")
    def test_each_end_has_a_text(self) -> None:
        for code in CloseCode:
            self.assertRegex(code.text, r"\A[A-Z<].*\.\Z")

    @rule("E2")
    def test_an_end_that_is_raised_says_its_number_and_text(self) -> None:
        plain = Closed(CloseCode.REPLACED)
        told = Closed(CloseCode.BROKEN_FRAME, "Line 3 is no JSON.")

        self.assertIsInstance(plain, ChatError)
        self.assertEqual(str(plain), "[4503] The account logged in elsewhere.")
        self.assertEqual(str(told), "[4500] Line 3 is no JSON.")
