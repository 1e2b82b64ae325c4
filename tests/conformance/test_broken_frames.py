"""What came before a frame that cannot be read is still answered (E2, W6)."""

import asyncio

import pytest

from chatcore import Chat
from stores import open_store
from transports import serve


@pytest.mark.own_server
@pytest.mark.rule("E2", "W6")
async def test_commands_before_a_broken_line_are_answered_and_then_the_link_ends() -> (
    None
):
    sent = (
        b"CHAT/1 json\n"
        b'{"commands": [{"id": 1, "list": {}}, {"id": 2, "fly": {}}]}\n'
        b"{broken\n"
    )
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0") as urls,
    ):
        port = int(urls[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        writer.write(sent)
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert received.index(b'"code":200') < received.index(b'"code":101')
    assert received.index(b'"code":101') < received.index(b'"code":4500')
