"""A client that has not logged in, at a server that ends such links (B3)."""

import asyncio

import pytest

from chatcore import Limits
from tests.conformance.cells import Cell, each_transport
from tests.conformance.peers import PASSWORD, WITHIN_S
from tests.conformance.servers import serving
from transports import LinkDown, LinkEvent, LinkUp


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_who_takes_long_to_log_in_does_so_on_a_new_link(cell: Cell) -> None:
    links: list[LinkEvent] = []
    is_lost = asyncio.Event()

    def take_note(event: LinkEvent) -> None:
        links.append(event)
        if isinstance(event, LinkDown):
            is_lost.set()

    limits = Limits(login_within_s=0.2)
    async with (
        serving(cell, limits=limits) as server,
        server.client(on_link=take_note) as client,
    ):
        await asyncio.wait_for(is_lost.wait(), WITHIN_S)
        links_before = list(links)

        login = await client.login("ada", PASSWORD, create=True)
        receipt = await client.send("ada", "hello")

        assert links_before == [LinkUp(server.url), LinkDown(server.url)]
        assert links == [*links_before, LinkUp(server.url)]
        assert receipt.recipient_id == login.account
