"""The demo's server: a process of its own, on a free port, its store thrown away."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatapp.connecting import url_of
from chatapp.errors import ServerFailed

_START_S: Final = 20.0
_STOP_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts: its process and its URLs."""

    process: int
    urls: tuple[str, ...]


@asynccontextmanager
async def start_server(
    transports: Sequence[str], folder: Path
) -> AsyncIterator[Server]:
    """A server while the block runs; its files are in ``folder``.

    Passwords are hashed insecurely, since the demo makes thousands of accounts.

    Raises:
        ServerFailed: it did not start, or did not end with status 0 when told to.
    """
    log = folder / "server.log"
    listen = [f"--listen={url_of(name, '127.0.0.1', 0)}" for name in transports]
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chatapp",
            "serve",
            *listen,
            "--store",
            f"sqlite:///{folder / 'demo.db'}",
            "--log-level",
            "warning",
            "--insecure-fast-hash",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for the demo, which ends it in order
        )
    try:
        urls = [await _ready_url(process, log) for _ in transports]
        yield Server(process.pid, tuple(urls))
    except BaseException:
        await _stop(process)
        raise
    status = await _stop(process)
    if status != 0:
        raise ServerFailed(f"The server ended with status {status}: {_last_line(log)}")


async def _ready_url(process: asyncio.subprocess.Process, log: Path) -> str:
    if process.stdout is None:
        raise ServerFailed("The server's output cannot be read.")
    try:
        async with asyncio.timeout(_START_S):
            line = (await process.stdout.readline()).decode()
    except TimeoutError as error:
        raise ServerFailed(f"The server is not ready: {_last_line(log)}") from error
    word, _, url = line.strip().partition(" ")
    if word != "ready":
        raise ServerFailed(f"The server did not start: {_last_line(log)}")
    return url


async def _stop(process: asyncio.subprocess.Process) -> int:
    """Have it stop in order, or by force when it takes too long; its exit status."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it says nothing."
