"""Who may make an account, on each transport (A3, A4)."""

import pytest

from chatcore import Registration
from chatcore.errors import RegistrationClosed
from tests.conformance.cells import Cell, each_cell
from tests.conformance.peers import PASSWORD
from tests.conformance.servers import serving


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("A3", "A4", "E1")
async def test_where_registration_is_closed_nobody_makes_an_account(
    cell: Cell,
) -> None:
    async with (
        serving(cell, registration=Registration.CLOSED) as server,
        server.client() as client,
    ):
        with pytest.raises(RegistrationClosed) as created:
            await client.create("ada", PASSWORD)
        with pytest.raises(RegistrationClosed) as logged_in:
            await client.login("ada", PASSWORD, create=True)

    assert created.value.code == logged_in.value.code == 208
    assert created.value.text == logged_in.value.text == RegistrationClosed().text
