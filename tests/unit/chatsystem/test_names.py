"""Usernames by PRECIS, and by our own rules on top (A1)."""

import gc
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from precis_i18n import get_profile

from chatcore.errors import InvalidUsername
from chatcore.usernames import prepare_username
from chatsystem.names import PrecisNames

NAMES: Final = PrecisNames()
LIBRARY: Final = get_profile("UsernameCaseMapped")
# Characters with a contextual rule, each with those that its rule asks for, and others
# on which preparation does more than look: directions, widths, case, composition.
DANGEROUS: Final = (
    "\u30fb\u30a2\u3042\u6c34",
    "\u0660\u0669\u06f0\u06f9\u0627\u0628",
    "\u200c\u200d\u0915\u094d\u0628\u064b\ua872\u0622",
    "l\u00b7L",
    "\u0375\u03b1\u03a3\u03c3'",
    "\u05f3\u05f4\u05d0\u05b0",
    "ax9.-_",
    "\uff21\uff76\uff9e\uffa0\uff66\uff61\uffe3",
    "\u0301\u0316\u0345\u0342\u0313\u03c9",
    "\u1100\u1161\u11a8\uac00",
    "\u0130\u00df\u017f\u1e9e\u212a\u2126",
)


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("ada", "ada"),
        ("Ada", "ada"),
        ("ADA-99_x.y", "ada-99_x.y"),
        ("juliet@example.com", "juliet@example.com"),  # RFC 8265, 3.5
        ("fussball", "fussball"),
        ("fußball", "fußball"),
        ("π", "π"),
        ("Ω", "ω"),
        ("ς", "ς"),
        ("e\u0301", "\u00e9"),  # composed
        ("\uff21\uff44\uff41", "ada"),  # full width
        ("\u05d0\u05d1", "\u05d0\u05d1"),  # right to left
    ],
)
def test_names_are_prepared_as_the_standard_says(text: str, prepared: str) -> None:
    assert NAMES.prepare(text, max_chars=64) == prepared


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    "text",
    [
        "foo bar",
        "henry\u2163",  # RFC 8265, 3.5: a roman numeral
        "\u265a",  # a chess king
        "a\u200db",  # a zero-width joiner
        "a\u05d0",  # letters of both directions
        "\u00a0",
        "tab\t",
        "\ue000",
    ],
)
def test_other_names_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        NAMES.prepare(text, max_chars=64)

    assert str(refused.value)[0].isprintable()


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    "text", ["*", "a?", "\uff0a", "\uff1f", "x" * 65, "", "\ud800"]
)
def test_what_would_be_a_pattern_or_has_no_length_is_refused(text: str) -> None:
    with pytest.raises(InvalidUsername):
        prepare_username(text, NAMES, max_chars=64)


@pytest.mark.rule("A1")
@given(text=st.text(max_size=70))
def test_a_prepared_name_stays_as_it_is(text: str) -> None:
    try:
        prepared = prepare_username(text, NAMES, max_chars=64)
    except InvalidUsername:
        return

    assert prepare_username(prepared, NAMES, max_chars=64) == prepared
    assert 1 <= len(prepared) <= 64
    assert not any(it in "*?" or it.isspace() for it in prepared)


def dangerous_texts() -> st.SearchStrategy[str]:
    """Up to 64 characters of one to three of the dangerous sets, or of all."""
    some = st.lists(st.sampled_from(DANGEROUS), min_size=1, max_size=3, unique=True)
    sets = st.one_of(some, st.just(list(DANGEROUS)))
    return sets.flatmap(lambda it: st.text("".join(it), min_size=1, max_size=64))


@pytest.mark.rule("A1", "B2")
@given(text=st.one_of(dangerous_texts(), st.text(min_size=1, max_size=64)))
@example(text="\u30fb" * 63 + "\u30a2")
@example(text="\u30fb" * 64)
@example(text="\u0627" + "\u0660" * 63)
@example(text="\u0627" + "\u0660" * 62 + "\u06f0")
@example(text="\u0628\u064b\u200c\u064b\u0628" * 12)
@example(text="l\u00b7l" * 21)
@example(text="\u30fb\u30fb\u0375\u03b1\u30a2")
def test_the_library_itself_would_say_the_same(text: str) -> None:
    try:
        expected = LIBRARY.enforce(text)
    except UnicodeEncodeError:
        expected = ""

    try:
        prepared = NAMES.prepare(text, max_chars=256)
    except ValueError:
        prepared = ""

    assert prepared == expected


@pytest.mark.rule("A1", "B2")
def test_no_name_is_lost_by_its_length_before_preparation() -> None:
    # U+1F82 is among the characters that decompose into most.
    longest = max(len(unicodedata.normalize("NFD", chr(it))) for it in range(0x3000))
    text = unicodedata.normalize("NFD", "\u1f82" * 64)

    prepared = prepare_username(text, NAMES, max_chars=64)

    assert len(text) == 64 * longest
    assert prepared == "\u1f82" * 64


@pytest.mark.rule("B2")
@pytest.mark.parametrize(
    "repeated",
    ["\u30fb", "\u0660", "\u06f0", "\u0628\u200c", "\u0915\u094d\u200d", "l\u00b7"],
)
@pytest.mark.parametrize("last", ["\u30a2", "\u0628", "l", "\u6c34\u0628"])
def test_twice_the_characters_are_at_most_twice_the_work(
    repeated: str, last: str
) -> None:
    half, whole = (repeated * count + last for count in (500, 1000))

    work = calls_while_preparing(whole, max_chars=len(whole))

    assert work <= 2 * calls_while_preparing(half, max_chars=len(half)) + 50


@pytest.mark.rule("B2")
@pytest.mark.parametrize(
    "text",
    [
        "\u30fb" * 255 + "\u30a2",
        "\u0627" + "\u0660" * 254 + "\u0628",
        "\u6c34" * 256,
        "\uff21" * 256,
        "\uff76\uff9e" * 128,
        "a" + "\u0301" * 128 + "\u0316" * 127,
    ],
)
def test_what_is_too_long_when_mapped_is_refused_before_it_is_judged(text: str) -> None:
    work = calls_while_preparing(text, max_chars=64)

    assert len(text) == 256
    assert work <= calls_while_preparing("\u30fb", max_chars=64)


@pytest.mark.rule("B2")
def test_a_name_that_comes_again_is_not_prepared_again() -> None:
    names = PrecisNames()
    first = calls_while(lambda: names.prepare("zo\u00eb", max_chars=64))

    again = calls_while(lambda: names.prepare("zo\u00eb", max_chars=64))

    assert again < first / 4


def calls_while_preparing(text: str, *, max_chars: int) -> int:
    """The work of preparing this text, or of refusing it, by names that saw none."""
    names = PrecisNames()

    def prepare() -> None:
        with suppress(InvalidUsername):
            prepare_username(text, names, max_chars=max_chars)

    return calls_while(prepare)


def calls_while(work: Callable[[], object]) -> int:
    """How many calls of functions, C's among them, this takes: work without a clock."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    gc.disable()  # what others left behind is not this work
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls
