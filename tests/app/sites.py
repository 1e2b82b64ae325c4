"""Applications of ``examples/`` with a chat in them, as processes under servers."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, Final

from chatcore import Chat, connect, open_store, serve, system_environment
from tests.app.processes import PATIENCE_S, ROOT, environment
from tests.interop.servers import CHEAP

EXAMPLES: Final = ROOT / "examples"
UVICORN: Final = ("uvicorn", "--port", "0", "--ws-max-size", "1048576")
HYPERCORN: Final = ("hypercorn", "--bind", "127.0.0.1:0", "--graceful-timeout", "1")
WEB_PASSWORDS: Final = {"ada": "lovelace", "bob": "marley"}


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
        await client.login(username, "any password")
        return (await anext(client.messages())).body
