"""A server process with several listeners, that a test kills and starts again."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from tests.app.processes import CHEAP, ROOT, SPLITTING, environment

_READY_S: Final = 40.0


class KillableServer:
    """``chatcore serve``, at the same URLs each time it runs.

    Attributes:
        urls: where it listens; known from its first start on.
    """

    def __init__(self, listens: Sequence[str], store: str) -> None:
        self._listens = list(listens)
        self._store = store
        self._process: asyncio.subprocess.Process | None = None
        self.urls: list[str] = []

    async def start(self) -> None:
        """Start it; returns once it accepts."""
        flags = [it for url in self._listens for it in ("--listen", url)]
        self._process = process = await asyncio.create_subprocess_exec(
            *(*SPLITTING, "serve", *flags, "--store", self._store, *CHEAP),
            cwd=ROOT,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(_READY_S):
            lines = [await process.stdout.readline() for _ in self._listens]
        self.urls = [line.decode().split()[1] for line in lines]
        # The next one listens at the same ports, and lets the same pages in.
        self._listens = [
            url + listen[listen.find("?") :] if "?" in listen else url
            for url, listen in zip(self.urls, self._listens, strict=True)
        ]

    async def kill(self) -> None:
        """End it as a power cut does: it has no time to do anything."""
        process = self._process
        if process is not None:
            self._process = None
            process.kill()
            assert await process.wait() == -signal.SIGKILL


@asynccontextmanager
async def killable_server(*listens: str, store: str) -> AsyncIterator[KillableServer]:
    """A server that is killed at the end of the block."""
    server = KillableServer(listens, store)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
