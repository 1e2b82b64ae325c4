"""A client's inbox: each piece of mail once, in order, whatever links do (M3, M5)."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.events import Delivered
from chatcore.ids import AccountId, Position, Username
from transports.client.errors import MailMissing
from transports.client.inbox import Inbox

POSITIONS: Final = st.lists(st.integers(1, 60), min_size=1, max_size=20, unique=True)


@pytest.mark.rule("M5")
def test_mail_is_handed_over_in_order_and_asking_acknowledges_the_one_before() -> None:
    inbox = Inbox()
    inbox.begin(Position(0), window=256)
    assert inbox.receive(mail(1, follows=0))
    assert inbox.receive(mail(2, follows=1))

    first, acknowledged_then = inbox.hand_over(), inbox.acknowledged
    second, acknowledged_now = inbox.hand_over(), inbox.acknowledged

    assert (first, acknowledged_then) == (mail(1, follows=0), 0)
    assert (second, acknowledged_now) == (mail(2, follows=1), 1)
    assert inbox.hand_over() is None
    assert inbox.acknowledged == 2


@pytest.mark.rule("M3")
def test_a_delivery_that_follows_what_never_came_is_a_loss() -> None:
    inbox = Inbox()
    inbox.begin(Position(3), window=256)

    with pytest.raises(MailMissing) as missing:
        inbox.receive(mail(6, follows=5))

    assert (missing.value.follows, missing.value.expected) == (5, 3)


@pytest.mark.rule("M3", "D3")
def test_a_gap_that_a_retraction_has_left_is_no_loss() -> None:
    inbox = Inbox()
    inbox.begin(Position(0), window=256)
    inbox.receive(mail(1, follows=0))

    assert inbox.receive(mail(4, follows=1))


@pytest.mark.rule("M5")
def test_what_comes_again_in_a_new_session_is_not_handed_over_again() -> None:
    inbox = Inbox()
    inbox.begin(Position(0), window=256)
    inbox.receive(mail(1, follows=0))
    inbox.receive(mail(2, follows=1))
    handed = inbox.hand_over()

    inbox.begin(Position(0), window=256)
    assert not inbox.receive(mail(1, follows=0))
    assert not inbox.receive(mail(2, follows=1))
    assert inbox.receive(mail(3, follows=2))

    assert [handed, *rest(inbox)] == [
        mail(1, follows=0),
        mail(2, follows=1),
        mail(3, follows=2),
    ]


@pytest.mark.rule("M5")
@given(
    positions=POSITIONS,
    links=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans())),
)
def test_each_piece_is_handed_over_once_in_order_over_any_links(
    positions: list[int], links: list[tuple[int, int, bool]]
) -> None:
    mailbox = sorted(positions)
    inbox = Inbox()
    handed: list[int] = []

    # Each link carries some mail, after what was seen (a resume) or, in a new
    # session, after what was acknowledged; then some of it is handed over.
    for carried, taken, is_resume in [*links, (len(mailbox), len(mailbox) + 1, False)]:
        after = inbox.last_seen if is_resume else inbox.acknowledged
        inbox.begin(after, window=256)
        follows = int(after)
        for position in [it for it in mailbox if it > after][:carried]:
            inbox.receive(mail(position, follows=follows))
            follows = position
        for _ in range(taken):
            piece = inbox.hand_over()
            handed += [piece.position] if piece is not None else []

        assert inbox.acknowledged <= inbox.handed <= inbox.last_seen

    assert handed == mailbox


def mail(position: int, *, follows: int) -> Delivered:
    """A message at a position."""
    return Delivered(
        position=Position(position),
        follows=Position(follows),
        sender=Username("ada"),
        sender_id=AccountId(1),
        sender_deleted=False,
        body="hello",
        sent_at_ms=0,
    )


def rest(inbox: Inbox) -> Sequence[object]:
    """All that is still to be handed over."""
    pieces = []
    while (piece := inbox.hand_over()) is not None:
        pieces.append(piece)
    return pieces
