"""Listing: patterns, order, pages, and who is online (L1)."""

from collections.abc import Iterable

import pytest

from chatcore import Limits
from chatcore.commands import List
from chatcore.errors import InvalidPattern, TooManyOperations
from chatcore.events import Listed, Refused, Started
from tests.conformance.cells import Cell, each_cell, each_store, each_wire
from tests.conformance.peers import PASSWORD, Peer
from tests.conformance.servers import Server, serving
from transports import Client

NAMES = (
    "ada",
    "adam",
    "bob",
    "a.b",
    "a-b",
    "a[b",
    "zoë",
    "émile",
    "пётр",
    "x_y",
    "x%y",
)


@each_cell
@pytest.mark.rule("L1")
async def test_all_accounts_are_listed_in_code_point_order(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await populate(server, NAMES)

        listed = await names(ada, "")

        assert listed == sorted(NAMES)


@each_store
@pytest.mark.rule("L1")
@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("ada*", ["ada", "adam"]),
        ("*", sorted(NAMES)),
        ("?da", ["ada"]),
        ("a?b", ["a-b", "a.b", "a[b"]),
        ("*b", ["a-b", "a.b", "a[b", "bob"]),
        ("a*m", ["adam"]),
        ("b*b", ["bob"]),
        ("da", ["ada", "adam"]),
        ("DA", ["ada", "adam"]),
        ("Ada?", ["adam"]),
        (".", ["a.b"]),
        ("[", ["a[b"]),
        ("_", ["x_y"]),
        ("%", ["x%y"]),
        ("x%*", ["x%y"]),
        ("?", []),
        ("zo?", ["zoë"]),
        ("é*", ["émile"]),
        ("nobody", []),
    ],
)
async def test_only_the_star_and_the_question_mark_are_special(
    cell: Cell, pattern: str, matched: list[str]
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await populate(server, NAMES)

        assert await names(ada, pattern) == matched


@each_cell
@pytest.mark.rule("L1")
async def test_a_list_tells_who_is_online(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        async with server.user("carol"):
            async with server.peer() as lost:
                await lost.login("bob")
            await populate(server, ["dave"])
            await server.until_offline("bob")

            online = {it.username: it.online async for it in ada.list()}

        assert {it: online[it] for it in online if it != "watcher"} == {
            "ada": True,
            "bob": False,
            "carol": True,
            "dave": False,
        }


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("L1", "W7")
async def test_a_long_list_comes_in_pages(cell: Cell) -> None:
    limits = Limits(page_names=3, walk_names=4)
    everyone = sorted([*NAMES, *(f"user{n:02}" for n in range(14))])
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")
        await populate(server, everyone)

        (asked,) = await peer.tell(List())

        assert (await peer.expect(Started)).id == asked
        pages = await pages_of(peer, asked)
        assert [name for page in pages for name in page.names] == everyone
        assert {len(page.names) for page in pages[:-1]} == {3}
        assert [page.complete for page in pages[:-1]] == [False] * (len(pages) - 1)


@each_store
@pytest.mark.own_server
@pytest.mark.rule("L1")
@pytest.mark.parametrize("pattern", ["", "user*", "*7", "1", "nobody*"])
async def test_pages_leave_nothing_out_and_repeat_nothing(
    cell: Cell, pattern: str
) -> None:
    limits = Limits(page_names=3, walk_names=4)
    everyone = ["ada", *(f"user{n:02}" for n in range(20)), "zed"]
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")
        await populate(server, everyone)
        whole = await listed(peer, List(pattern))

        continued: list[str] = []
        after = ""
        while page := (await listed(peer, List(pattern, after)))[:2]:
            continued += page
            after = page[-1]

        assert continued == whole


@each_wire
@pytest.mark.rule("L1")
async def test_a_list_can_be_continued_after_any_name(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        await populate(server, ["bob", "carol"])

        assert await listed(peer, List("", "bob")) == ["carol"]
        assert await listed(peer, List("", "b")) == ["bob", "carol"]
        assert await listed(peer, List("c*", "ada")) == ["carol"]
        assert await listed(peer, List("", "zed")) == []


@each_wire
@pytest.mark.rule("L1", "E2")
async def test_a_pattern_that_is_too_long_is_refused(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        with pytest.raises(InvalidPattern):
            await names(ada, "x" * 257)

        assert await names(ada, "x" * 256) == []


@each_wire
@pytest.mark.rule("L1")
async def test_a_pattern_of_many_stars_costs_no_more_than_others(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        await populate(server, ["a" * 64])

        assert await names(ada, "*a" * 64 + "*b") == []


@each_wire
@pytest.mark.own_server
@pytest.mark.rule("L1", "E2")
async def test_only_so_many_lists_run_at_once(cell: Cell) -> None:
    limits = Limits(operations=2)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")

        ids = await peer.tell(*[List()] * 3)

        refused = await peer.answer(ids[2], Refused)
        assert isinstance(refused.refusal, TooManyOperations)
        assert (await peer.answer(ids[0], Listed)).complete
        assert (await peer.answer(ids[1], Listed)).complete
        assert await listed(peer, List()) == ["ada"]


async def populate(server: Server, usernames: Iterable[str]) -> None:
    """Create these accounts, except for ``ada``, who is there."""
    async with server.client() as client:
        for username in usernames:
            if username != "ada":
                await client.create(username, PASSWORD)


async def names(client: Client, pattern: str) -> list[str]:
    """The names that match, as they come."""
    return [it.username async for it in client.list(pattern)]


async def pages_of(peer: Peer, command_id: int) -> list[Listed]:
    """All pages of one list."""
    pages = [await peer.answer(command_id, Listed)]
    while not pages[-1].complete:
        pages.append(await peer.answer(command_id, Listed))
    return pages


async def listed(peer: Peer, command: List) -> list[str]:
    """The names of all pages of one list."""
    (command_id,) = await peer.tell(command)
    return [it for page in await pages_of(peer, command_id) for it in page.names]
