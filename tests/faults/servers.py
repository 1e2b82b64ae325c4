"""A server as a process of its own, which a test can kill and start again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.stores import StoreKind, StoreServer, first_durable

_ROOT: Final = Path(__file__).resolve().parents[2]
_READY_S: Final = 20.0


class ServerProcess:
    """``chatcore serve`` on one store, at the same URL each time it runs.

    Its frames come apart, and each time it is a fork: see ``server_lives``.

    Attributes:
        url: where it listens; known from its first start on.
        starts: how often it was started.
        store_server: what its store needs beside it, if it does.
    """

    def __init__(
        self,
        folder: Path,
        kind: StoreKind,
        store_server: StoreServer | None,
        flags: str = "",
    ) -> None:
        self._kind = kind
        self._flags = flags
        self._store = kind.url_in(folder)
        self._log = folder / "server.log"
        self._forking: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self.url = "tcp://127.0.0.1:0"
        self.starts = 0
        self.store_server = store_server

    async def start(self) -> None:
        """Start it; returns once it accepts."""
        if self._forking is None:
            self._forking = await self._load()
        assert self._forking.stdin is not None
        flags = f"--listen {self.url} --store {self._store} {self._flags}"
        order = f"serve {flags} --insecure-fast-hash --log-level warning\n"
        self._forking.stdin.write(order.encode())
        self.starts += 1
        async with asyncio.timeout(_READY_S):
            self._pid = int(await self._told("pid"))
            self.url = await self._told("ready")

    async def _load(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.server_lives"),
                *([str(self._kind.module)] if self._kind.module else ()),
                cwd=_ROOT,
                env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def _told(self, word: str) -> str:
        """What the next line says, which begins with this word."""
        assert self._forking is not None
        assert self._forking.stdout is not None
        line = await self._forking.stdout.readline()
        said, _, rest = line.decode().strip().partition(" ")
        if said == "ended":
            self._pid = None
        assert said == word, self._log.read_text()
        return rest

    async def kill(self) -> None:
        """End it as a power cut does: it has no time to do anything."""
        if self._pid is not None:
            assert await self._end(signal.SIGKILL) == -signal.SIGKILL

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self._pid is not None
        os.kill(self._pid, number)
        self._pid = None
        return int(await self._told("ended"))

    async def close(self) -> None:
        """Kill it if it runs, and end what it was forked from."""
        await self.kill()
        if self._forking is not None:
            assert self._forking.stdin is not None
            self._forking.stdin.close()
            await self._forking.communicate()


@asynccontextmanager
async def server_process(
    folder: Path, kind: StoreKind | None = None, *, flags: str = ""
) -> AsyncIterator[ServerProcess]:
    """A server that runs on a durable store, and is killed at the end of the block."""
    chosen = kind or first_durable()
    with chosen.running(folder) as store_server:
        server = ServerProcess(folder, chosen, store_server, flags)
        try:
            await server.start()
            yield server
        finally:
            await server.close()
