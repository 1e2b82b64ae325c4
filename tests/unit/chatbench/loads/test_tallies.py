"""Accounts find what was lost, came twice or came too late."""

from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from chatbench.loads.tallies import PairTally, RoundTally

_SENT_NS = 1_000


def ledger_of(
    messages: int, tally: RoundTally, faults: list[str]
) -> tuple[PairTally, list[str]]:
    pair_tally = PairTally(tally, faults.append)
    return pair_tally, pair_tally.send(["text"] * messages, repeat(_SENT_NS))


def overtaken(order: list[int]) -> int:
    """How many came for the first time after a later one."""
    firsts = list(dict.fromkeys(order))
    return sum(
        any(it > number for it in firsts[:at]) for at, number in enumerate(firsts)
    )


@given(
    st.integers(1, 30).flatmap(
        lambda sent: st.tuples(st.just(sent), st.lists(st.integers(0, sent - 1)))
    )
)
def test_whatever_comes_is_accounted_for(case: tuple[int, list[int]]) -> None:
    sent, order = case
    faults: list[str] = []
    tally = RoundTally()
    pair_tally, bodies = ledger_of(sent, tally, faults)

    fresh = pair_tally.take([bodies[it] for it in order], 2_000)

    assert fresh == tally.delivered == len(set(order))
    assert pair_tally.missing == sent - len(set(order))
    assert pair_tally.duplicated == len(order) - len(set(order))
    assert pair_tally.out_of_order == overtaken(order)
    assert not faults


def test_a_body_that_was_never_sent_is_a_fault() -> None:
    faults: list[str] = []
    pair_tally, _ = ledger_of(1, RoundTally(), faults)

    pair_tally.take(["000000000007text"], 2_000)
    pair_tally.take(["no number"], 2_000)

    assert faults == ["A message came that was never sent."] * 2


def test_a_body_that_was_damaged_is_a_fault_and_not_a_delivery() -> None:
    faults: list[str] = []
    pair_tally, _ = ledger_of(1, RoundTally(), faults)

    fresh = pair_tally.take(["000000000000tent"], 2_000)

    assert faults == ["A message came with another body."]
    assert fresh == 0
    assert pair_tally.missing == 1


def test_a_latency_counts_where_its_message_was_sent_in_the_window() -> None:
    tally = RoundTally()
    pair_tally = PairTally(tally, list[str]().append)
    tally.since_ns, tally.until_ns = 100, 200
    bodies = pair_tally.send(["a", "b", "c"], [99, 100, 200])

    pair_tally.take_receipts(3, 300)
    pair_tally.take(bodies, 400)

    assert list(tally.receipts) == [200]
    assert list(tally.latencies) == [300]


def test_more_receipts_than_messages_are_a_fault() -> None:
    faults: list[str] = []
    pair_tally, _ = ledger_of(2, RoundTally(), faults)

    pair_tally.take_receipts(3, 2_000)

    assert faults == ["There are more receipts than messages."]
