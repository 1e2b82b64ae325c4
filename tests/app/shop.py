"""The processes of examples/fastapi_app."""

import asyncio
import base64
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import Request, urlopen

from tests.app.processes import PATIENCE_S, ROOT, environment

FOLDER: Final = ROOT / "examples" / "fastapi_app"
SECRET: Final = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
STARTED: Final = re.compile(r"running on http://(\S+)")
LISTENS: Final = {"CHAT_TCP": "tcp://127.0.0.1:0"}


@contextmanager
def application(name: str, **settings: str) -> Iterator[str]:
    """One of the two applications, under uvicorn; where it is."""
    with subprocess.Popen(
        [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", "0"],
        cwd=FOLDER,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"SHOP_WEBHOOK_SECRET": SECRET, **settings}),
    ) as process:
        try:
            assert process.stderr is not None
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if found := STARTED.search(line):
                    yield f"http://{found[1]}"
                    return
            raise AssertionError("".join(said))
        finally:
            process.kill()


@contextmanager
def helper(shop: str) -> Iterator[None]:
    """The bot, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(FOLDER / "helper.py"), shop],
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"HELPER_PASSWORD": "a bot has one too"}),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "helper is here\n"
            yield
        finally:
            process.kill()


def ask(url: str, said: object = None, *, token: str = "") -> Any:
    """What one of the applications answers; raises ``HTTPError`` where it refuses."""
    body = json.dumps(said).encode() if said is not None else None
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(url, body, headers)  # noqa: S310  # it is ours
    with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310  # as above
        return json.load(answer)


async def told(url: str, lines: set[str]) -> set[str]:
    """Which of these the second application has been told, once it has all."""
    had: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        while not lines <= had:
            had = {*await asyncio.to_thread(ask, f"{url}/had")}
    return had & lines
