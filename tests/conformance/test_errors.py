"""Refusals: their numbers, what they leave as it was, what ends a link (E1 to E3)."""

import pytest

from chatcore import commands
from chatcore.commands import Create, List, Login, Send
from chatcore.errors import (
    CloseCode,
    MailboxFull,
    MalformedCommand,
    NoSuchRecipient,
    UnknownCommand,
)
from chatcore.events import Accepted, Created, Listed, Refused
from chatcore.limits import Limits
from tests.conformance.cells import Cell, each_cell, each_wire
from tests.conformance.frames import broken, joined, with_malformed, with_unknown
from tests.conformance.peers import PASSWORD
from tests.conformance.servers import serving


@each_cell
@pytest.mark.rule("E1")
async def test_a_refusal_has_a_number_a_text_and_fields(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")

        refusal = await peer.refusal(Send("eve", "hello"))

        assert isinstance(refusal, NoSuchRecipient)
        assert refusal.code == 300
        assert refusal.name == "NO_SUCH_RECIPIENT"
        assert refusal.text == "There is no account eve."
        assert refusal.fields == {"recipient": "eve"}


@each_wire
@pytest.mark.rule("E1")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Create("a b", PASSWORD), 110),
        (Create("ada", "short"), 111),
        (Send("bob", ""), 200),
        (List(), 200),
        (Login(username="eve", password=PASSWORD), 202),
        (commands.Resume(b"nobody's"), 205),
        (commands.Delete(username="eve", password=PASSWORD), 202),
    ],
)
async def test_the_same_mistake_has_the_same_number_everywhere(
    cell: Cell, command: commands.Command, code: int
) -> None:
    async with serving(cell) as server, server.peer() as peer:
        refusal = await peer.refusal(command)

        assert refusal.code == code
        assert refusal.text == str(refusal).partition("] ")[2]


@each_cell
@pytest.mark.own_server
@pytest.mark.rule("E2")
async def test_what_was_refused_has_changed_nothing_and_the_rest_went_on(
    cell: Cell,
) -> None:
    limits = Limits(mailbox_messages=1)
    async with serving(cell, limits=limits) as server, server.peer() as peer:
        await peer.login("ada")

        ids = await peer.tell(
            Send("ada", "one"),
            Send("ada", "too many"),
            Send("eve", "to nobody"),
            Create("bob", PASSWORD),
            Send("bob", "two"),
        )

        full = await peer.answer(ids[1], Refused)
        assert isinstance(full.refusal, MailboxFull)
        assert (await peer.answer(ids[2], Refused)).refusal.code == 300
        assert await peer.answer(ids[0], Accepted)
        assert (await peer.answer(ids[3], Created)).username == "bob"
        assert (await peer.answer(ids[4], Accepted)).position == 1
        assert [it.body for it in await peer.mail(1)] == ["one"]


@each_cell
@pytest.mark.rule("E2")
async def test_a_broken_frame_ends_its_link_and_nothing_else(cell: Cell) -> None:
    async with (
        serving(cell) as server,
        server.peer() as peer,
        server.user("bob") as bob,
    ):
        token = (await peer.login("ada")).token

        await peer.write(broken(cell.codec))

        closing = await peer.closed()
        assert closing.code is CloseCode.BROKEN_FRAME
        assert not closing.code.may_reconnect
        assert await bob.send("ada", "still here")
        async with server.peer() as found:
            assert (await found.resume(token)).queued == 1


@each_cell
@pytest.mark.rule("E3")
async def test_an_unknown_command_is_refused_by_its_name(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        frame, name = with_unknown(cell.codec, 7)

        await peer.write(frame)

        refused = await peer.expect(Refused)
        assert refused.id == 7
        assert isinstance(refused.refusal, UnknownCommand)
        assert refused.refusal.fields == {"command": name}


@each_cell
@pytest.mark.rule("E3", "E2")
async def test_a_command_that_cannot_be_read_is_refused_by_itself(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.write(with_malformed(cell.codec, 9))

        refused = await peer.expect(Refused)
        assert refused.id == 9
        assert isinstance(refused.refusal, MalformedCommand)
        assert "send" in refused.refusal.fields["reason"]


@each_wire
@pytest.mark.rule("E3")
async def test_an_unknown_command_does_no_harm_to_its_frame(cell: Cell) -> None:
    async with serving(cell) as server, server.peer() as peer:
        await peer.login("ada")
        encode = peer.codec.encode_commands
        frame = joined(
            cell.codec,
            encode([commands.Request(20, Send("ada", "before"))]),
            with_unknown(cell.codec, 21)[0],
            with_malformed(cell.codec, 22),
            encode([commands.Request(23, Send("ada", "after"))]),
            encode([commands.Request(24, List())]),
        )

        await peer.write(frame)

        assert (await peer.answer(24, Listed)).names == ("ada",)
        assert (await peer.answer(20, Accepted)).position == 1
        assert (await peer.answer(21, Refused)).refusal.code == 101
        assert (await peer.answer(22, Refused)).refusal.code == 100
        assert (await peer.answer(23, Accepted)).position == 2
