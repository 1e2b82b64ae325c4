"""How discarded messages are put into bounces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.ids import AccountId, Position
from chatstores.bounces import bounces_for, look_ahead, next_chunks

inboxes = st.lists(
    st.tuples(st.integers(1, 4).map(AccountId), st.integers(1, 99).map(Position)),
    unique_by=lambda it: it[1],
    max_size=40,
).map(sorted)
sizes = st.integers(1, 12)


@pytest.mark.rule("D4")
@given(inboxes, sizes, sizes)
def test_steps_take_everything_out_in_as_many_bounces_as_were_counted(
    inbox: list[tuple[AccountId, Position]], rows: int, bounce_messages: int
) -> None:
    left = list(inbox)
    taken: list[tuple[AccountId, Position]] = []
    bounces = 0

    while left:
        chunks = next_chunks(left, rows=rows, bounce_messages=bounce_messages)
        step = [(sender, it) for sender, positions in chunks for it in positions]
        assert 0 < len(step) <= rows
        assert all(len(positions) <= bounce_messages for _, positions in chunks)
        taken += step
        bounces += len(chunks)
        del left[: len(step)]

    assert taken == inbox
    senders = [sender for sender, _ in inbox]
    assert bounces == sum(
        bounces_for(senders.count(it), bounce_messages=min(rows, bounce_messages))
        for it in set(senders)
    )


@given(inboxes, sizes, sizes)
def test_looking_ahead_is_enough_to_decide_a_step(
    inbox: list[tuple[AccountId, Position]], rows: int, bounce_messages: int
) -> None:
    ahead = look_ahead(rows=rows, bounce_messages=bounce_messages)

    decided = next_chunks(inbox[:ahead], rows=rows, bounce_messages=bounce_messages)

    assert decided == next_chunks(inbox, rows=rows, bounce_messages=bounce_messages)
