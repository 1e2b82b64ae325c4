"""Applications with a chat in them, as processes under servers of ASGI (W9).

Each is talked to by WebSocket or HTTP and by raw TCP, and ended by Ctrl-C.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from chatcore import (
    Chat,
    Client,
    CloseCode,
    Closed,
    connect,
    open_store,
    serve,
    system_environment,
)
from tests.app.processes import PATIENCE_S, ROOT, environment
from tests.interop.servers import CHEAP

EXAMPLES: Final = ROOT / "examples"
UVICORN: Final = ("uvicorn", "--port", "0", "--ws-max-size", "1048576")
HYPERCORN: Final = ("hypercorn", "--bind", "127.0.0.1:0", "--graceful-timeout", "1")
WEB_PASSWORDS: Final = {"ada": "lovelace", "bob": "marley"}
PASSWORD: Final = "correct horse"


class Site:
    """An application that is served at ``host``."""

    def __init__(self, process: "subprocess.Popen[str]", host: str) -> None:
        self.process = process
        self.host = host

    def ask(self, method: str, path: str, said: object = None) -> Any:
        """Ask one of the application's own routes."""
        connection = HTTPConnection(self.host, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(said), headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def password(self, username: str) -> str:
        """With what a user logs in to the chat."""
        form = {"username": username, "password": WEB_PASSWORDS[username]}
        return str(self.ask("POST", "/api/login", form)["token"])


@contextmanager
def running(command: tuple[str, ...], example: str, store: str) -> Iterator[Site]:
    """An example under a server while the block runs."""
    extra = {"CHAT_STORE": store, "CHAT_TCP": "tcp://127.0.0.1:0"}
    with subprocess.Popen(
        [sys.executable, "-m", *command, f"{example}:app"],
        cwd=EXAMPLES,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(extra),
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"running on http://(\S+)", line, re.IGNORECASE):
                    yield Site(process, found[1])
                    return
            raise AssertionError("".join(said))
        finally:
            process.kill()


async def end_of(client: Client) -> CloseCode:
    """Why a client's link has ended."""
    with pytest.raises(Closed) as closed:
        await client.send("ada", "too late")
    return closed.value.code


class Anybody:
    """Lets everybody in, to see what they have."""

    async def check(self, username: str, password: str) -> bool:  # noqa: ARG002
        return True


async def mail_kept(store: str, username: str) -> str:
    """The body of the first message that waits for a user."""
    async with (
        open_store(store) as kept,
        serve(
            Chat(kept, credentials=Anybody()),
            "loopback:",
            environment=system_environment(CHEAP),
        ) as urls,
        connect(urls) as client,
    ):
        await client.login(username, PASSWORD)
        return (await anext(client.messages())).body


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
