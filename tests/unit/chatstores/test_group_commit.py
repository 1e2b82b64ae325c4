"""What every store over a network needs: calls in order, several to a commit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatstores import call_queue, group_commit
from chatstores.group_commit import GroupCommit


class Server:
    """At the other end: keeps what it is told, once it is let, or fails.

    Attributes:
        batches: what each commit has brought.
        gate: closed, it lets no commit end.
        fails: what the next commit raises, or a call is answered with.
    """

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.fails: dict[str, Exception] = {}

    async def commit(self, calls: Sequence[str]) -> Sequence[object]:
        self.batches.append(list(calls))
        self.arrived.set()
        await self.gate.wait()
        if "all" in self.fails:
            raise self.fails.pop("all")
        return [self.fails.get(it, f"did {it}") for it in calls]


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[GroupCommit[str]]:
    queue = GroupCommit(server.commit)
    yield queue
    await queue.close()


@pytest.fixture
async def server() -> Server:
    return Server()


async def test_calls_of_one_turn_share_a_commit_in_their_order(server: Server) -> None:
    async with opened(server) as queue:
        answers = await asyncio.gather(queue.ask("a"), queue.ask("b"), queue.ask("c"))

    assert list(answers) == ["did a", "did b", "did c"]
    assert server.batches == [["a", "b", "c"]]


async def test_what_comes_during_a_commit_goes_with_the_next(server: Server) -> None:
    async with opened(server) as queue:
        server.gate.clear()
        first = queue.ask("a")
        await server.arrived.wait()
        later = [queue.ask("b"), queue.ask("c")]
        server.gate.set()
        await asyncio.gather(first, *later)

    assert server.batches == [["a"], ["b", "c"]]


async def test_a_commit_has_a_most(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "BATCH", 2)
    async with opened(server) as queue:
        answers = await asyncio.gather(*(queue.ask(it) for it in "abcde"))

    assert server.batches == [["a", "b"], ["c", "d"], ["e"]]
    assert answers == [f"did {it}" for it in "abcde"]


async def test_a_call_that_fails_takes_none_along(server: Server) -> None:
    server.fails["b"] = StoreUnavailable(reason="no room")
    async with opened(server) as queue:
        answers = await asyncio.gather(
            queue.ask("a"), queue.ask("b"), queue.ask("c"), return_exceptions=True
        )

    assert list(answers) == ["did a", server.fails["b"], "did c"]


@pytest.mark.rule("M1")
@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (StoreUnavailable(reason="it loads its data"), StoreUnavailable),
        (OutcomeUnknown(), OutcomeUnknown),
        (ConnectionResetError("lost"), OutcomeUnknown),
    ],
)
async def test_what_meets_a_commit_is_told_to_each_and_the_next_is_tried(
    server: Server, raised: Exception, told: type[Exception]
) -> None:
    async with opened(server) as queue:
        server.fails["all"] = raised
        errors = await asyncio.gather(
            queue.ask("a"), queue.ask("b"), return_exceptions=True
        )
        after = await queue.ask("c")

    assert [type(it) for it in errors] == [told, told]
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])
    assert after == "did c"


async def test_a_fault_of_the_link_is_the_cause_that_is_told(server: Server) -> None:
    lost = ConnectionResetError("lost")
    async with opened(server) as queue:
        server.fails["all"] = lost
        with pytest.raises(OutcomeUnknown) as raised:
            await queue.ask("a")

    assert raised.value.__cause__ is lost


async def test_an_answer_that_is_missing_is_not_guessed(server: Server) -> None:
    async def forgetful(calls: Sequence[str]) -> Sequence[object]:
        return (await server.commit(calls))[:1]

    queue = GroupCommit(forgetful)
    answers = await asyncio.gather(
        queue.ask("a"), queue.ask("b"), return_exceptions=True
    )
    await queue.close()

    assert [type(it) for it in answers] == [OutcomeUnknown, OutcomeUnknown]


async def test_who_is_cancelled_disturbs_nobody(server: Server) -> None:
    async with opened(server) as queue:
        server.gate.clear()
        gone, stays = queue.ask("a"), queue.ask("b")
        await server.arrived.wait()
        gone.cancel()
        server.gate.set()
        answer = await stays

    assert answer == "did b"
    assert server.batches == [["a", "b"]]


@pytest.mark.rule("M4")
async def test_what_nobody_waits_for_goes_with_the_next_commit(server: Server) -> None:
    told: list[str] = []
    async with opened(server) as queue:
        queue.tell("acknowledge", lambda: told.append("acknowledged"))
        answer = queue.ask("a")
        assert told == []
        await answer

    assert server.batches == [["acknowledge", "a"]]
    assert told == ["acknowledged"]


@pytest.mark.rule("M4")
async def test_what_nobody_waits_for_is_committed_by_itself(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = asyncio.Event()
    monkeypatch.setattr(call_queue, "TELL_WITHIN_S", 0.01)
    async with opened(server) as queue:
        queue.tell("acknowledge", committed.set)
        await committed.wait()
        queue.tell("another")
        await queue.ask("a")
        await server.arrived.wait()

    assert server.batches == [["acknowledge"], ["another", "a"]]


async def test_many_that_nobody_waits_for_do_not_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_queue, "TELL_WITHIN_S", 3600)
    monkeypatch.setattr(call_queue, "TELL_AT_MOST", 3)
    async with opened(server) as queue:
        for name in "abc":
            queue.tell(name)
        await server.arrived.wait()

    assert server.batches == [["a", "b", "c"]]


@pytest.mark.parametrize(
    "outcome", ["changed nothing", "could not be done", "was lost"]
)
async def test_only_what_was_committed_is_told_to_be(
    server: Server, outcome: str
) -> None:
    told: list[str] = []

    async def commit(calls: Sequence[str]) -> Sequence[object]:
        await server.commit(calls)
        if outcome == "was lost":
            raise ConnectionResetError
        return [False if outcome == "changed nothing" else OutcomeUnknown()]

    queue = GroupCommit(commit)
    queue.tell("acknowledge", lambda: told.append("acknowledged"))
    await queue.close()

    assert server.batches == [["acknowledge"]]
    assert told == []


@pytest.mark.rule("W9")
async def test_closing_commits_what_waits_and_takes_no_more(server: Server) -> None:
    queue = GroupCommit(server.commit)
    queue.tell("acknowledge")
    asked = queue.ask("a")

    await queue.close()

    assert await asked == "did a"
    with pytest.raises(StoreUnavailable, match="closed"):
        await queue.ask("b")
    queue.tell("too late")
    await asyncio.sleep(0)
    assert server.batches == [["acknowledge", "a"]]
