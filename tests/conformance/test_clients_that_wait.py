"""A client that has not logged in, at a server that ends such links (B3)."""

import asyncio

import pytest

from chatcore import Limits
from tests.conformance.cells import Cell, each_transport
from tests.conformance.peers import PASSWORD, WITHIN_S
from tests.conformance.servers import serving


@each_transport
@pytest.mark.own_server
@pytest.mark.rule("B3")
async def test_who_takes_long_to_log_in_does_so_on_a_new_link(cell: Cell) -> None:
    links: list[bool] = []
    is_lost = asyncio.Event()

    def take_note(is_up: bool, _url: str) -> None:  # noqa: FBT001  # see connect
        links.append(is_up)
        if not is_up:
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

        assert links_before == [True, False]
        assert links == [True, False, True]
        assert receipt.recipient_id == login.account
