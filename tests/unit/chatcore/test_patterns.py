"""Patterns that choose usernames (L1)."""

import unittest

from chatcore.errors import InvalidPattern
from chatcore.patterns import Pattern, compile_pattern
from tests.unit.chatcore.environment import seeded
from tests.unit.chatcore.marks import rule


def compiled(text: str) -> Pattern:
    return compile_pattern(text, max_chars=256)


def matches_by_definition(pattern: str, name: str) -> bool:
    """The meaning of a pattern, one character after another."""
    reachable = {0}
    for character in pattern:
        if character == "*":
            reachable = set(range(min(reachable, default=len(name) + 1), len(name) + 1))
        else:
            reachable = {
                place + 1
                for place in reachable
                if place < len(name) and character in ("?", name[place])
            }
    return len(name) in reachable


class PatternTest(unittest.TestCase):
    @rule("L1")
    def test_a_star_matches_any_run_and_a_question_mark_one_character(self) -> None:
        pattern = compiled("a?c*")

        self.assertTrue(pattern.matches("abc"))
        self.assertTrue(pattern.matches("axcdef"))
        self.assertFalse(pattern.matches("ac"))

    @rule("L1")
    def test_a_pattern_matches_over_the_whole_name(self) -> None:
        pattern = compiled("b?b")

        self.assertTrue(pattern.matches("bob"))
        self.assertFalse(pattern.matches("bobby"))
        self.assertFalse(pattern.matches("abob"))

    @rule("L1")
    def test_a_text_without_wildcards_matches_names_that_contain_it(self) -> None:
        pattern = compiled("ob")

        self.assertTrue(pattern.matches("bobby"))
        self.assertFalse(pattern.matches("ada"))

    @rule("L1")
    def test_the_empty_pattern_and_the_star_match_all(self) -> None:
        for text in ("", "*", "**"):
            self.assertTrue(compiled(text).matches("ada"))

    @rule("L1")
    def test_nothing_but_star_and_question_mark_is_special(self) -> None:
        for text in ("a.c", "[abc]", "a|b", "a+", "(a)", "a\\b", "^a$", "{2}"):
            self.assertTrue(compiled(f"*{text}").matches(text))
            self.assertFalse(compiled(f"{text}*").matches("abc"))

    @rule("L1")
    def test_letters_are_mapped_as_in_usernames(self) -> None:
        self.assertTrue(compiled("ADA*").matches("adam"))
        self.assertTrue(compiled("A\N{COMBINING DIAERESIS}").matches("ä"))

    @rule("L1")
    def test_the_prefix_is_what_stands_before_the_first_wildcard(self) -> None:
        prefixes = [compiled(it).prefix for it in ("ad*m", "b?b", "*a", "ob", "")]

        self.assertEqual(prefixes, ["ad", "b", "", "", ""])

    @rule("L1")
    def test_a_pattern_means_what_its_characters_mean_one_by_one(self) -> None:
        random = seeded(1)
        for _ in range(4000):
            text = "".join(random.choices("ab*?", k=random.randrange(1, 9)))
            name = "".join(random.choices("ab", k=random.randrange(1, 9)))
            if "*" not in text and "?" not in text:
                continue

            pattern = compiled(text)

            expected = matches_by_definition(text, name)
            self.assertEqual(pattern.matches(name), expected, (text, name))
            if expected:
                self.assertTrue(name.startswith(pattern.prefix), (text, name))

    @rule("L1")
    def test_many_stars_on_a_long_name_take_no_time(self) -> None:
        pattern = compiled("*a" * 100 + "*c")

        # Where a star backtracks into the one before, these take longer than we live.
        self.assertFalse(pattern.matches("a" * 1000))
        self.assertFalse(pattern.matches("ab" * 500))
        self.assertTrue(pattern.matches("a" * 1000 + "c"))

    @rule("L1", "E2")
    def test_a_pattern_over_the_limit_is_refused(self) -> None:
        with self.assertRaises(InvalidPattern) as caught:
            compile_pattern("a" * 257, max_chars=256)

        self.assertEqual(caught.exception.fields, {"maximum": "256", "chars": "257"})
        self.assertFalse(compile_pattern("a" * 256, max_chars=256).matches("a"))
