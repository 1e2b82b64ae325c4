"""What is too large is refused where it is written, and harms nothing else (E2, M6)."""

import pytest

from chatcore.errors import InvalidBody, MalformedCommand
from chatcore.events import Accepted
from chatcore.limits import MIB
from tests.conformance.cells import Cell, each_wire
from tests.conformance.servers import serving


@pytest.mark.rule("M6", "E2")
@each_wire
async def test_a_body_that_no_frame_could_hold_is_refused_beside_others(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        sent = [("ada", "before"), ("ada", "x" * 2 * MIB), ("ada", "after")]

        answers = await ada.send_all(sent)

        assert [type(it) for it in answers] == [Accepted, InvalidBody, Accepted]


@pytest.mark.rule("E2")
@each_wire
async def test_a_command_that_no_frame_can_hold_is_refused_and_the_session_goes_on(
    cell: Cell,
) -> None:
    async with serving(cell) as server, server.user("ada") as ada:
        with pytest.raises(MalformedCommand):
            await ada.send("x" * 2 * MIB, "hello")

        assert (await ada.send("ada", "still here")).position == 1
