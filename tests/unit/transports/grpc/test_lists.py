"""Lists over calls: a page in memory, however slowly they are read (L1, W4)."""

import asyncio

import pytest

from chatcore.ids import NO_HASH, NO_KEY, Username
from chatcore.limits import KIB
from tests.interop.servers import Server, serving
from tests.unit.transports.grpc.stub import URL, WITHIN_S, calling
from transports.codec._generated import chat_pb2 as pb
from transports.grpc.answers import Answers, ListCut

LONG = "a" * 57


@pytest.mark.rule("L1", "W4")
async def test_a_list_comes_in_pages_and_can_be_continued() -> None:
    async with serving(URL) as server, calling(server) as stub:
        await populate(server, 1200)
        token = (await stub.login("ada")).token

        call = stub.stream("ListAccounts", pb.List(), pb.Listed, token=token)
        pages = [page async for page in call]
        rest = await stub.names(token, pb.List(pattern="a*", after=f"{LONG}001100"))

        assert [len(it.entries) for it in pages] == [500, 500, 201]
        assert [it.complete for it in pages] == [False, False, True]
        assert list(rest) == [*names(1101, 1200), "ada"]


@pytest.mark.rule("L1", "W4")
async def test_a_list_that_nobody_reads_holds_up_no_other_call() -> None:
    count = 20_000
    async with (
        serving(URL) as server,
        calling(server, window_bytes=64 * KIB) as stub,
    ):
        await populate(server, count)
        token = (await stub.login("ada")).token
        call = stub.stream("ListAccounts", pb.List(), pb.Listed, token=token)
        first = await call.read()
        assert isinstance(first, pb.Listed)

        for n in range(5):
            await stub.send(token, "ada", f"meanwhile {n}")

        listed = [it.username for it in first.entries]
        while isinstance(page := await call.read(), pb.Listed):
            listed += [it.username for it in page.entries]
        assert listed == [*names(0, count), "ada"]


@pytest.mark.rule("L1")
async def test_pages_that_are_not_read_are_not_kept() -> None:
    answers = Answers(wants_mail=False)
    for n in range(20):
        await answers.put_page(a_page(n))
    await answers.put_page(a_page(20, complete=True))

    kept = [(await answers.next()).listed.entries[0].username for _ in range(8)]
    with pytest.raises(ListCut):
        await answers.next()

    assert kept == [str(n) for n in range(8)]


@pytest.mark.rule("L1")
async def test_a_list_is_asked_again_only_when_it_is_over() -> None:
    answers = Answers(wants_mail=False)
    for n in range(10):
        await answers.put_page(a_page(n))
    for _ in range(8):
        await answers.next()

    async def find_out() -> bool:
        with pytest.raises(ListCut):
            await asyncio.wait_for(answers.next(), WITHIN_S)
        return True

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(find_out())
        await asyncio.sleep(0)
        assert not asking.done()
        await answers.put_page(a_page(10, complete=True))

    assert asking.result()


def a_page(number: int, *, complete: bool = False) -> pb.Event:
    entries = [pb.Entry(username=str(number))]
    return pb.Event(listed=pb.Listed(entries=entries, complete=complete))


def names(first: int, last: int) -> list[str]:
    return [f"{LONG}{n:06}" for n in range(first, last)]


async def populate(server: Server, count: int) -> None:
    """Accounts that sort before ``ada``, without the cost of their passwords."""
    for name in names(0, count):
        created = await server.store.create_account(
            Username(name), NO_HASH, key=NO_KEY, at_ms=0
        )
        assert created
