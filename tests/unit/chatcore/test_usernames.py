"""What may be a username (A1)."""

import unittest

from chatcore.commands import Create
from chatcore.errors import InvalidUsername, NameTaken
from chatcore.usernames import prepare_username
from tests.unit.chatcore.chat_fixture import PASSWORD, ChatFixture
from tests.unit.chatcore.environment import LowerCaseNames
from tests.unit.chatcore.marks import rule


class MappedNames(LowerCaseNames):
    """A preparation that maps everything to one text."""

    def __init__(self, mapped: str) -> None:
        super().__init__()
        self._mapped = mapped

    def prepare(self, text: str, *, max_chars: int) -> str:
        self.prepared.append(text)
        return self._mapped[: max_chars + 1]


class UsernameTest(unittest.TestCase):
    def refused(self, text: str, *, prepared: str | None = None) -> str:
        names = LowerCaseNames() if prepared is None else MappedNames(prepared)
        with self.assertRaises(InvalidUsername) as caught:
            prepare_username(text, names, max_chars=64)
        return caught.exception.fields["reason"]

    @rule("A1")
    def test_lower_and_upper_case_are_one_account(self) -> None:
        fixture = ChatFixture()
        fixture.account("ada")

        refusal = fixture.peer().refusal(Create("ADA", PASSWORD))

        self.assertIsInstance(refusal, NameTaken)
        self.assertEqual(refusal.fields["username"], "ada")

    @rule("A1")
    def test_lower_case_ascii_letters_and_digits_bypass_preparation(self) -> None:
        names = LowerCaseNames()

        username = prepare_username("ada2", names, max_chars=64)

        self.assertEqual(username, "ada2")
        self.assertEqual(names.prepared, [])

    @rule("A1")
    def test_every_other_name_is_prepared(self) -> None:
        names = LowerCaseNames()

        usernames = [
            prepare_username(it, names, max_chars=64) for it in ("Ada", "ä", "a.b")
        ]

        self.assertEqual(usernames, ["ada", "ä", "a.b"])
        self.assertEqual(names.prepared, ["Ada", "ä", "a.b"])

    @rule("A1")
    def test_one_and_sixty_four_characters_are_a_username(self) -> None:
        names = LowerCaseNames()

        for text in ("a", "a" * 64, "ä", "ä" * 64):
            self.assertEqual(prepare_username(text, names, max_chars=64), text)

    @rule("A1")
    def test_no_character_and_sixty_five_are_none(self) -> None:
        self.assertEqual(self.refused(""), "it is empty")
        self.assertEqual(self.refused("a" * 65), "it has 65 characters, more than 64")

    @rule("A1")
    def test_a_name_is_measured_after_preparation(self) -> None:
        long, short = MappedNames("b" * 65), MappedNames("b")

        with self.assertRaises(InvalidUsername):
            prepare_username("Ä", long, max_chars=64)
        self.assertEqual(prepare_username("Ä" * 65, short, max_chars=64), "b")
        self.assertEqual(
            self.refused("Ä", prepared=""), "it is empty once it is normalized"
        )

    @rule("A1", "B2")
    def test_a_name_that_no_mapping_can_make_short_enough_is_not_prepared(self) -> None:
        names = LowerCaseNames()

        for text in ("A" * 65, "ä" * 257):
            with self.assertRaises(InvalidUsername) as caught:
                prepare_username(text, names, max_chars=64)
            self.assertIn("more than 64", caught.exception.fields["reason"])

        self.assertEqual(names.prepared, [])

    @rule("A1")
    def test_a_name_that_a_mapping_may_shorten_is_prepared(self) -> None:
        names = MappedNames("b" * 64)

        username = prepare_username("ä" * 256, names, max_chars=64)

        self.assertEqual(username, "b" * 64)

    @rule("A1")
    def test_the_characters_of_patterns_are_refused(self) -> None:
        self.assertEqual(self.refused("a*"), "'*' is kept for patterns")
        self.assertEqual(self.refused("?a"), "'?' is kept for patterns")

    @rule("A1")
    def test_characters_that_become_a_pattern_are_refused(self) -> None:
        reason = self.refused("\N{FULLWIDTH ASTERISK}", prepared="*")

        self.assertEqual(
            reason, "it has a variant of * or ?, which are kept for patterns"
        )

    @rule("A1")
    def test_spaces_and_control_characters_are_refused(self) -> None:
        self.assertEqual(self.refused("a b"), "it has a space")
        for text in ("a\n", "a\u00a0"):
            self.assertEqual(self.refused(text), f"it has white space ({text[-1]!r})")
        for text in ("a\x00", "a\x7f", "a\ud800"):
            self.assertEqual(
                self.refused(text), f"it has a control character ({text[-1]!r})"
            )

    @rule("A1")
    def test_what_preparation_refuses_is_refused_with_its_reason(self) -> None:
        self.assertEqual(self.refused("ada!"), "nobody shouts")

    @rule("A1")
    def test_a_prepared_name_is_prepared_already(self) -> None:
        names = LowerCaseNames()

        for text in ("Ada", "ÄÖ", "x.Y", "z9"):
            once = prepare_username(text, names, max_chars=64)
            self.assertEqual(prepare_username(once, names, max_chars=64), once)
