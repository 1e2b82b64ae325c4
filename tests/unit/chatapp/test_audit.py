"""The accounts of a replay: nothing that goes wrong may look right."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chatapp.demo.audit import DeliveryAudit, Figures
from chatcore.ids import Position


def settled(sent: Sequence[int], heard: Sequence[int]) -> Figures:
    """The figures of one pair; all messages say the same."""
    audit = DeliveryAudit()
    for position in sent:
        audit.note_sent("ada", "bob", Position(position), "hi")
    for position in heard:
        audit.note_heard("ada", "bob", Position(position), "hi", from_queue=False)
    return audit.settle(messages=len(sent), seconds=1.0)


def errors(figures: Figures) -> tuple[int, int, int]:
    return figures.lost, figures.duplicated, figures.out_of_order


def test_each_once_in_order_is_right() -> None:
    figures = settled([1, 2, 3], [1, 2, 3])

    assert errors(figures) == (0, 0, 0)
    assert not figures.is_wrong


def test_one_that_did_not_arrive_is_lost() -> None:
    assert errors(settled([1, 2, 3], [1, 3])) == (1, 0, 0)


def test_one_that_arrived_twice_is_duplicated() -> None:
    assert errors(settled([1, 2], [1, 1, 2])) == (0, 1, 0)


def test_two_that_changed_places_are_out_of_order() -> None:
    assert errors(settled([1, 2, 3], [2, 1, 3])) == (0, 0, 1)


def test_one_that_nobody_sent_is_one_too_many() -> None:
    assert errors(settled([1], [1, 2])) == (0, 1, 0)


def test_another_text_is_a_loss_and_one_too_many() -> None:
    audit = DeliveryAudit()
    audit.note_sent("ada", "bob", Position(1), "hi")
    audit.note_heard("ada", "bob", Position(1), "ho", from_queue=True)

    assert errors(audit.settle(messages=1, seconds=1.0)) == (1, 1, 0)


def test_refused_messages_are_counted_and_not_expected() -> None:
    audit = DeliveryAudit()
    audit.note_refused(112)

    figures = audit.settle(messages=1, seconds=1.0)

    assert figures.refused == 1
    assert not figures.is_wrong


@given(st.lists(st.integers(1, 6), max_size=8))
def test_only_each_once_in_order_is_right(heard: list[int]) -> None:
    sent = [1, 2, 3, 4]

    assert settled(sent, heard).is_wrong == (heard != sent)
