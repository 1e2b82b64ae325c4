"""The ground that cells stand on: one server over all its lives, and how to end one.

The database and the ports stay the same. There are two doors for each transport: by the
first one comes in, and once the trap has fired it is barred, so that one has to come
back by the second. Each life is a child of one process that has all loaded, since most
of a restart is imports. From one life to the next they run on each event loop in turn.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.conformance.loops import LOOPS
from tests.moving.link_ends import TRANSPORTS, Point, Way
from tests.stores import first_durable

WITHIN_S: Final = 20.0
_ROOT: Final = Path(__file__).resolve().parents[2]


class ServerProcess:
    """A server that can be trapped and killed; ``server_process`` makes one.

    Attributes:
        first: the doors by which one comes, by transport.
        second: those by which one comes back.
    """

    def __init__(self, folder: Path, other: ModuleType | None = None) -> None:
        self._arguments = [first_durable().url_in(folder)]
        self._schemes = dict(TRANSPORTS)
        listens = {it: f"{it}://127.0.0.1:0" for it in TRANSPORTS.values()}
        if other is not None:
            self._arguments.append(str(other.__file__))
            self._schemes[other.SCHEME] = other.SCHEME
            listens[other.SCHEME] = other.LISTENS
        self._log = folder / "server.log"
        self._process: asyncio.subprocess.Process | None = None
        self._is_alive = False
        self._way = Way.CUT
        self._loops = cycle(LOOPS)
        self.first, self.second = (
            {
                name: listens[scheme].format(folder=folder / door)
                for name, scheme in self._schemes.items()
            }
            for door in ("first", "second")
        )
        for door in ("first", "second"):
            (folder / door).mkdir()

    # ---- lives

    async def live(self, *, barred: bool) -> None:
        """Begin the next life; returns once it accepts."""
        if self._process is None:
            self._process = await self._load()
        doors = [f"{it}?door=first" for it in self.first.values()]
        doors += self.second.values()
        self._tell("open", next(self._loops), "barred" if barred else "free", *doors)
        ready, *urls = (await self._line()).split()
        assert ready == "ready", self.complaints()
        count = len(self._schemes)
        self.first = dict(zip(self._schemes, urls[:count], strict=True))
        self.second = dict(zip(self._schemes, urls[count:], strict=True))
        self._is_alive = True

    async def _load(self) -> asyncio.subprocess.Process:
        """A process that has all but the store and the ports."""
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-X", "frozen_modules=on", "-W", "error"),
                *("-m", "tests.moving.server", *self._arguments),
                env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # so that its children can be ended with it
            )

    async def end(self) -> None:
        """End the process: at the end of its orders it ends by itself."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(WITHIN_S):
                await process.communicate()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
        assert process.returncode == 0, self.complaints()

    def complaints(self) -> str:
        """What the server's processes have said that they should not."""
        return self._log.read_text()

    # ---- the trap

    async def arm(self, point: Point, way: Way, mark: str) -> None:
        """Set the trap, with all doors open; raises a dead server to life before."""
        if not self._is_alive:
            await self.live(barred=False)
        self._way = way
        self._tell("arm", point.value, way.value, mark)
        while await self._line() != "armed":
            pass  # what a cell has left that failed

    async def there(self) -> str:
        """Return once the point is reached: the transport of the link that is held."""
        there, scheme = (await self._line()).split()
        assert there == "there"
        return next(name for name, it in self._schemes.items() if it == scheme)

    async def fire(self) -> None:
        """End what is held; returns once one can come back by the second doors."""
        self._tell("fire")
        if self._way is Way.CUT:
            assert await self._line() == "fired"
            return
        self._is_alive = False
        assert await self._line() == f"ended {-signal.SIGKILL}", self.complaints()
        await self.live(barred=True)

    # ---- talking to the process

    def _tell(self, *words: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{' '.join(words)}\n".encode())

    async def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            line = await self._process.stdout.readline()
        has_died = self._is_alive and line.startswith(b"ended")
        assert line, self.complaints()
        assert not has_died, self.complaints()
        return line.decode().strip()


@asynccontextmanager
async def server_process(
    folder: Path, other: ModuleType | None = None
) -> AsyncIterator[ServerProcess]:
    """A server that serves; its processes are ended at the end of the block.

    It has a door for each of our transports, and for the ``other`` one.
    """
    server = ServerProcess(folder, other)
    try:
        await server.live(barred=False)
        yield server
    finally:
        await server.end()
