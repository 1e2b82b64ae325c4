"""Who may make an account, on each transport (A3, A4)."""

import pytest

from chatcore import Registration
from chatcore.commands import Create
from chatcore.errors import InvitationRefused, RegistrationClosed
from chatcore.events import Created
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


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("A3", "A4", "E1")
async def test_an_invitation_allows_an_account_on_each_transport(cell: Cell) -> None:
    async with (
        serving(cell, registration=Registration.INVITE) as server,
        server.client() as client,
        server.client() as other,
    ):
        invite = await server.chat.admin.invite(uses=2)

        with pytest.raises(InvitationRefused) as refused:
            await client.create("ada", PASSWORD)
        account = await client.create("ada", PASSWORD, invitation=invite.code)
        logged_in = await client.login("ada", PASSWORD, create=True)
        with pytest.raises(InvitationRefused):
            await other.login("bob", PASSWORD, create=True, invitation="AAAA" * 8)
        bob = await other.login(
            "bob", PASSWORD, create=True, invitation=invite.code.lower()
        )
        await other.logout()
        with pytest.raises(InvitationRefused):
            await other.create("eve", PASSWORD, invitation=invite.code)

    assert refused.value.code == 210
    assert logged_in.account == account
    assert bob.account != account


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("D6")
async def test_a_repeat_with_a_spent_invitation_gets_the_first_answer(
    cell: Cell,
) -> None:
    async with serving(cell, registration=Registration.INVITE) as server:
        invite = await server.chat.admin.invite()
        create = Create("ada", PASSWORD, server.make_key(), invite.code)

        async with server.peer() as peer:
            first = await peer.ask(create, Created)
        async with server.peer() as peer:
            again = await peer.ask(create, Created)

    assert first == again
