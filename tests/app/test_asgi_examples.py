"""Applications with a chat in them, as processes under servers of ASGI (W9).

Each is talked to by WebSocket or HTTP and by raw TCP, and ended by Ctrl-C.
"""

import asyncio
import signal
from pathlib import Path
from typing import Final

import pytest

from chatcore import Client, CloseCode, Closed, connect
from tests.app.processes import PATIENCE_S
from tests.app.sites import HYPERCORN, UVICORN, WEB_PASSWORDS, mail_kept, running

PASSWORD: Final = "correct horse"


async def end_of(client: Client) -> CloseCode:
    """Why a client's link has ended."""
    with pytest.raises(Closed) as closed:
        await client.send("ada", "too late")
    return closed.value.code


@pytest.mark.rule("W9", "W3")
@pytest.mark.parametrize(
    ("command", "example", "at"),
    [
        (UVICORN, "fastapi_chat", "http://{}/api/chat"),
        (UVICORN, "starlette_chat", "ws://{}/api/chat"),
        (UVICORN, "django_chat", "ws://{}/api/chat"),
        (HYPERCORN, "fastapi_chat", "ws://{}/api/chat/"),
    ],
    ids=["uvicorn-fastapi", "uvicorn-starlette", "uvicorn-django", "hypercorn"],
)
async def test_a_page_talks_to_a_program_until_ctrl_c(
    command: tuple[str, ...], example: str, at: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'chat.db'}"
    with running(command, example, store) as site:
        (tcp_url,) = await asyncio.to_thread(site.ask, "GET", "/api/urls")
        passwords = dict.fromkeys(WEB_PASSWORDS, PASSWORD)
        if example == "fastapi_chat":
            passwords = {it: site.password(it) for it in WEB_PASSWORDS}
        creates = example != "fastapi_chat"
        async with (
            connect(at.format(site.host), reconnect=None) as page,
            connect(tcp_url, reconnect=None) as program,
        ):
            await page.login("ada", passwords["ada"], create=creates)
            await program.login("bob", passwords["bob"], create=creates)
            await page.send("bob", "hello")
            message = await anext(program.messages())
            program.acknowledge()
            await program.send("ada", "hello yourself")
            answer = await anext(page.messages())
            await page.send("bob", "are you there?")

            site.process.send_signal(signal.SIGINT)
            status = await asyncio.to_thread(site.process.wait, PATIENCE_S)
            codes = [await end_of(it) for it in (page, program)]

    assert [(it.sender, it.body) for it in (message, answer)] == [
        ("ada", "hello"),
        ("bob", "hello yourself"),
    ]
    assert codes == [CloseCode.SHUTTING_DOWN] * 2
    assert status == 0
    assert await mail_kept(store, "bob") == "are you there?"
