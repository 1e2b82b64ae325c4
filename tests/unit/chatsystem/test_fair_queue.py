"""A bounded queue in which addresses take turns (B4)."""

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsystem.fair_queue import FairQueue, QueueFull


def filled(*addresses: str, room: int = 64, share: int = 64) -> FairQueue[str]:
    """A queue with an item of each: "a1" is the first of "a"."""
    queue: FairQueue[str] = FairQueue(room=room, share=share)
    counts: Counter[str] = Counter()
    for address in addresses:
        counts[address] += 1
        queue.put(address, f"{address}{counts[address]}")
    return queue


def emptied(queue: FairQueue[str]) -> list[str]:
    return [queue.take() for _ in range(len(queue))]


@pytest.mark.rule("B4")
def test_addresses_take_turns_and_within_one_the_first_comes_first() -> None:
    queue = filled("a", "a", "a", "b", "c", "c")

    assert emptied(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert not len(queue)


@pytest.mark.rule("B4")
def test_an_address_that_comes_back_has_no_turn_before_the_others() -> None:
    queue = filled("a", "b", "c")

    assert queue.take() == "a1"
    queue.put("a", "a2")

    assert emptied(queue) == ["b1", "c1", "a2"]


@pytest.mark.rule("B4")
def test_an_address_alone_fills_the_queue_and_no_more() -> None:
    queue = filled("a", "a", "a", room=3, share=1)

    with pytest.raises(QueueFull):
        queue.put("a", "a4")

    assert emptied(queue) == ["a1", "a2", "a3"]


@pytest.mark.rule("B4")
def test_beside_others_an_address_gets_its_share() -> None:
    queue = filled("b", "a", "a", share=2)

    with pytest.raises(QueueFull):
        queue.put("a", "a3")
    queue.put("b", "b2")

    assert emptied(queue) == ["b1", "a1", "b2", "a2"]


@pytest.mark.rule("B4")
def test_a_newcomer_displaces_the_newest_of_the_address_that_has_most() -> None:
    queue = filled("a", "b", "b", "b", "a", room=5)

    displaced = queue.put("c", "c1")

    assert displaced == "b3"
    assert emptied(queue) == ["a1", "b1", "c1", "a2", "b2"]


@pytest.mark.rule("B4")
def test_nobody_is_displaced_for_one_that_would_have_as_many() -> None:
    queue = filled("a", "a", "b", room=3)

    with pytest.raises(QueueFull):
        queue.put("b", "b2")

    assert emptied(queue) == ["a1", "b1", "a2"]


@pytest.mark.rule("B4")
def test_the_only_one_of_an_address_is_never_displaced() -> None:
    queue = filled("a", "b", "c", room=3)

    with pytest.raises(QueueFull):
        queue.put("d", "d1")

    assert emptied(queue) == ["a1", "b1", "c1"]


@pytest.mark.rule("B4")
def test_what_is_discarded_leaves_its_place_and_nothing_of_its_address() -> None:
    queue = filled("a", "a", "b", room=3)

    queue.discard("a", "a1")
    queue.discard("b", "b1")
    queue.discard("b", "b1")
    queue.discard("a", "never there")

    assert len(queue) == 1
    assert list(queue._waiting) == ["a"]
    assert emptied(queue) == ["a2"]
    with pytest.raises(LookupError):
        queue.take()


@pytest.mark.rule("B4")
def test_a_queue_without_room_takes_nothing() -> None:
    queue = filled(room=0)

    with pytest.raises(QueueFull):
        queue.put("a", "a1")


ADDRESSES = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), ADDRESSES),
        st.tuples(st.just("take"), st.just("")),
        st.tuples(st.just("discard"), ADDRESSES),
    ),
    max_size=60,
)


@pytest.mark.rule("B4")
@given(steps=STEPS, room=st.integers(0, 8), share=st.integers(1, 4))
def test_it_is_bounded_and_holds_what_was_put_and_not_taken(
    steps: list[tuple[str, str]], room: int, share: int
) -> None:
    queue: FairQueue[int] = FairQueue(room=room, share=share)
    waiting: dict[str, deque[int]] = {it: deque() for it in "abcdef"}

    for number, (step, address) in enumerate(steps):
        if step == "put":
            try:
                displaced = queue.put(address, number)
            except QueueFull:
                continue
            waiting[address].append(number)
            if displaced is not None:
                loser = next(it for it in waiting.values() if displaced in it)
                assert loser.pop() == displaced
                assert len(loser) >= len(waiting[address])
        elif step == "discard" and waiting[address]:
            queue.discard(address, waiting[address].popleft())
        elif step == "take" and len(queue):
            item = queue.take()
            owner = next(it for it in waiting.values() if item in it)
            assert owner.popleft() == item

        assert len(queue) == sum(map(len, waiting.values())) <= room
        assert set(queue._waiting) == {it for it in waiting if waiting[it]}


@pytest.mark.rule("B4")
@given(addresses=st.lists(ADDRESSES, max_size=40), newcomer=ADDRESSES)
def test_what_is_put_is_taken_after_at_most_the_turns_that_were_told(
    addresses: list[str], newcomer: str
) -> None:
    queue = filled(*addresses)

    told = queue.turns_before(newcomer)
    queue.put(newcomer, "new")

    assert emptied(queue).index("new") <= told
    assert told <= (addresses.count(newcomer) + 1) * len(set(addresses))
