"""What lines mean, what is shown of a text, and what is said of events."""

from datetime import UTC, datetime
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp import wording
from chatapp.client.commands import (
    VERBS,
    Intent,
    NotUnderstood,
    Verb,
    read_choice,
    read_line,
)
from chatapp.sanitize import sanitize
from chatcore.commands import InboxAction, OutboxAction
from chatcore.events import Bounced, Delivered
from chatcore.ids import AccountId, Position, Username

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ADA = Username("ada")


@pytest.mark.parametrize(
    ("line", "intent"),
    [
        ("", None),
        ("   ", None),
        ("login ada", Intent(Verb.LOGIN, "ada")),
        ("send bob hello  there ", Intent(Verb.SEND, "bob", "hello  there")),
        ("list", Intent(Verb.LIST)),
        ("list a*", Intent(Verb.LIST, "a*")),
        ("delete", Intent(Verb.DELETE)),
        ("exit", Intent(Verb.QUIT)),
    ],
)
def test_a_line_has_its_meaning(line: str, intent: Intent | None) -> None:
    assert read_line(line) == intent


@pytest.mark.parametrize(
    "line", ["foo", "login", "login ada secret", "send", "send bob", "logout now"]
)
def test_a_line_that_means_nothing_tells_how_to_say_it(line: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read_line(line)

    assert "secret" not in str(refused.value)


def test_the_help_has_every_word() -> None:
    helped = {it.usage.split()[0] for it in Verb if it.meaning}

    assert helped == set(VERBS) - {"exit"}


def test_an_empty_answer_is_the_default_and_a_letter_is_enough() -> None:
    assert read_choice(InboxAction, "") is InboxAction.DELIVER
    assert read_choice(InboxAction, "di") is InboxAction.DISCARD
    assert read_choice(OutboxAction, "") is OutboxAction.KEEP
    assert read_choice(OutboxAction, "R") is OutboxAction.RETRACT
    with pytest.raises(NotUnderstood):
        read_choice(InboxAction, "burn")


@given(st.text())
def test_what_is_shown_is_one_line_without_control_characters(text: str) -> None:
    shown = sanitize(text)

    assert not {category(it) for it in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("text", ["grüße", "👩‍👩‍👧", "می‌خواهم", "a b", "\\x1b"])
def test_a_text_that_is_harmless_is_shown_as_it_is(text: str) -> None:
    assert sanitize(text) == text


def test_a_message_of_another_day_has_its_date() -> None:
    def said(at: datetime) -> str:
        sent_at_ms = int(at.timestamp() * 1000)
        message = Delivered(
            position=Position(1),
            follows=Position(0),
            sender=ADA,
            sender_id=AccountId(1),
            sender_deleted=False,
            body="hi",
            sent_at_ms=sent_at_ms,
        )
        return wording.mail(message, now=NOW)

    assert said(NOW.replace(hour=7, minute=5)) == "[07:05] ada: hi"
    assert said(NOW.replace(day=1)) == "[2026-11-01 20:00] ada: hi"


def test_a_deleted_sender_is_marked() -> None:
    message = Delivered(
        Position(1),
        Position(0),
        ADA,
        AccountId(1),
        sender_deleted=True,
        body="hi",
        sent_at_ms=0,
    )

    assert wording.mail(message, now=NOW).endswith("] ada (deleted): hi")


def test_a_bounce_says_how_many_came_back() -> None:
    bounce = Bounced(
        Position(2), Position(0), ADA, AccountId(1), (Position(1), Position(3)), 0
    )

    assert "2 messages to ada came back unread" in wording.mail(bounce, now=NOW)
