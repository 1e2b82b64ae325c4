"""A server as a process of its own, which a test can kill and start again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_READY_S: Final = 20.0


class ServerProcess:
    """``chatcore serve`` on one database, at the same URL each time it runs.

    Its frames come apart: see ``splitting``.

    Attributes:
        url: where it listens; known from its first start on.
        starts: how often it was started.
    """

    def __init__(self, folder: Path) -> None:
        self._store = f"sqlite:///{folder / 'chat.db'}"
        self._log = folder / "server.log"
        self._process: asyncio.subprocess.Process | None = None
        self.url = "tcp://127.0.0.1:0"
        self.starts = 0

    async def start(self) -> None:
        """Start it; returns once it accepts."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.split_chatcore", "serve"),
                *("--listen", self.url, "--store", self._store),
                *("--insecure-fast-hash", "--log-level", "warning"),
                env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._process = process
        self.starts += 1
        assert process.stdout is not None
        async with asyncio.timeout(_READY_S):
            line = await process.stdout.readline()
        ready, _, url = line.decode().strip().partition(" ")
        assert ready == "ready", self._log.read_text()
        self.url = url

    async def kill(self) -> None:
        """End it as a power cut does: it has no time to do anything."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process is not None
        self._process.terminate()
        await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def server_process(folder: Path) -> AsyncIterator[ServerProcess]:
    """A server that runs, and that is killed at the end of the block."""
    server = ServerProcess(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
