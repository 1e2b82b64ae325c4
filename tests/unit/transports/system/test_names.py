"""Usernames by PRECIS, and by our own rules on top (A1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.errors import InvalidUsername
from chatcore.usernames import prepare_username
from transports.system.names import PrecisNames

NAMES = PrecisNames()


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
    assert NAMES.prepare(text) == prepared


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
        NAMES.prepare(text)

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
