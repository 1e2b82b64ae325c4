"""Names that mix scripts, and names that look like plain ones (A1, Unicode TS 39)."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsystem.names import PrecisNames

NAMES = PrecisNames()


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("\u0430dmin", "Cyrillic and Latin"),
        ("p\u03b1ypal", "Greek and Latin"),
        ("\u13f8dmin", "Cherokee and Latin"),
        ("\u03b1\u0430", "Cyrillic and Greek"),
        ("\u0e01\u0915", "Devanagari and Thai"),
        ("a\u0e01\u0915", "Devanagari and Latin and Thai"),
        ("\u3042\uac00", "Hangul and Hiragana"),
        ("\u3105\u3042", "Bopomofo and Hiragana"),
    ],
)
def test_a_new_name_that_mixes_scripts_is_objected_to(name: str, scripts: str) -> None:
    assert NAMES.prepare(name, max_chars=64) == name  # who has it can log in
    assert NAMES.objection(name) == f"it mixes letters of {scripts}"


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    "name",
    [
        "ada.lovelace-99_x",
        "zo\u00eb",
        "\u0430\u0434\u0430-2",  # Cyrillic alone, with what is common to all
        "\u03b1\u03b2\u03b3",
        "\u5c71\u7530\u3055\u3093\u30a2\u30fb\u30fc",  # Japanese
        "\u5c71\u7530ada\u3055\u3093\u30a2",  # with Latin
        "\u6c34\u3105a",  # Han and Bopomofo
        "\u6c34\ud55c\uae00a",  # Han and Hangul
        "\u0905\u0926\u093ea",  # Latin and one other
        "a\u0301\u0316x",  # marks that belong to any script
        "\u0627\u0628\u0661",
    ],
)
def test_scripts_that_people_write_together_are_let_pass(name: str) -> None:
    assert not NAMES.objection(name)


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("adm\u0131n", "admin"),  # a dotless i
        ("\u0430dmin", "admin"),
        ("\u0441\u043e\u0441\u043e", "coco"),  # Cyrillic alone
        ("\u0251da", "ada"),
        ("c\u00e6sar", "caesar"),
        ("\u0627\u0647", "lo"),  # written from the right
        ("bill\u0966", "billo"),  # a digit: its prototype is a capital O
    ],
)
def test_the_plain_name_that_a_name_looks_like(name: str, plain: str) -> None:
    assert NAMES.plain_lookalike(name) == plain


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    "name", ["admin", "adrnin", "zo\u00eb", "\u5c71\u7530", "\u0436\u0430\u0431\u0430"]
)
def test_what_is_plain_or_like_nothing_plain_has_no_lookalike(name: str) -> None:
    assert not NAMES.plain_lookalike(name)


@pytest.mark.rule("A1")
@given(name=st.text(min_size=1, max_size=64))
def test_a_lookalike_is_plain_and_another_name(name: str) -> None:
    plain = NAMES.plain_lookalike(name)

    assert plain.isascii()
    assert plain == plain.lower()
    assert plain != name


def test_the_tables_are_read_with_the_first_name_that_is_not_ascii() -> None:
    program = (
        "import sys; from chatsystem.names import PrecisNames as N\n"
        "names = N(); names.prepare('Ada', max_chars=64)\n"
        "names.objection('ada'); names.plain_lookalike('ada')\n"
        "print('confusable_homoglyphs' in sys.modules)\n"
        "names.objection('zo\u00eb')\n"
        "print('confusable_homoglyphs' in sys.modules)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert told.stdout.split() == ["False", "True"]
