"""Limits that the operator changes are seen by clients that are there already."""

from dataclasses import replace

import pytest

from chatcore.errors import InvalidBody, RateExceeded
from tests.conformance.cells import Cell, each_cell
from tests.conformance.servers import serving


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("B5", "M6")
async def test_a_client_that_is_there_meets_the_new_limits(cell: Cell) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        admin = server.chat.admin
        await ada.send("ada", "four")

        admin.change_limits(replace(server.chat.limits, body_bytes=3))
        with pytest.raises(InvalidBody):
            await ada.send("ada", "four")
        admin.change_limits(
            replace(server.chat.limits, session_messages_per_s=0.001, rate_burst_s=1000)
        )
        await ada.send("ada", "one")
        with pytest.raises(RateExceeded):
            await ada.send("ada", "two")
        admin.change_limits(replace(server.chat.limits, session_messages_per_s=0))
        receipt = await ada.send("ada", "two")

    assert receipt.position == 3
