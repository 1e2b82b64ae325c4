"""Sessions at a server that has no chat."""

import pytest

from chatbench.cells import Contestant
from tests.unit.chatbench.wire.event_recorder import URLS, contestant, opening
from tests.unit.chatbench.wire.scripted import echo, listening

EVERY = [
    contestant(transport, "none", server="echo", framing=framing)
    for transport in URLS
    for framing in ("batch", "single")
]


def named(chosen: Contestant) -> str:
    return chosen.name


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_what_is_sent_comes_back(chosen: Contestant) -> None:
    bodies = [f"{at:012d}".ljust(64, "x") for at in range(32)]
    async with (
        listening(URLS[chosen.transport], echo) as url,
        opening(url, chosen, "ada") as (ada, at_ada),
    ):
        ada.send("bob", bodies[:16])
        ada.send("bob", bodies[16:])
        await at_ada.until_bodies(32)
        ada.acknowledge(at_ada.position)

    assert at_ada.bodies == bodies
    assert at_ada.receipts == 0
    assert at_ada.position == 32
    assert ada.frames_out == ada.frames_in == (32 if chosen.framing == "single" else 2)
    assert at_ada.faults == []


@pytest.mark.parametrize("chosen", EVERY, ids=named)
async def test_an_echo_that_closes_is_told(chosen: Contestant) -> None:
    async with listening(URLS[chosen.transport], echo) as url:
        opened = opening(url, chosen, "ada")
        ada, at_ada = await opened.__aenter__()
        ada.send("bob", ["one"])
        await at_ada.until_bodies(1)

    await at_ada.until(lambda it: bool(it.faults))
    await opened.__aexit__(None, None, None)

    assert len(at_ada.faults) == 1
