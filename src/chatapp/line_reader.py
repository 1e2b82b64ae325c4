"""Lines from a pipe or a file, as they come.

A thread reads, since an event loop cannot wait for a file; one block at a time, and
only when lines are asked for. It reads the descriptor and not ``sys.stdin``, whose lock
would hold up the interpreter's end while the thread is waiting.
"""

import asyncio
import os
import threading
from queue import SimpleQueue
from typing import Final

_BLOCK_BYTES: Final = 64 * 1024


class LineReader:
    """The lines of a descriptor, without their ends: LF, or CR and LF."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._wanted: SimpleQueue[asyncio.Future[bytes]] = SimpleQueue()
        self._rest = b""
        self._is_over = False
        self._reading: threading.Thread | None = None

    async def next(self) -> list[bytes]:
        """Those that came together, one at least; none at the end of the input.

        The last line of the input may lack its end.
        """
        lines: list[bytes] = []
        while not lines and not self._is_over:
            block = await self._read()
            self._is_over = not block
            *lines, self._rest = (self._rest + block).split(b"\n")
            if self._is_over and self._rest:
                lines.append(self._rest)
        return [line.removesuffix(b"\r") for line in lines]

    async def _read(self) -> bytes:
        if self._reading is None:
            self._reading = threading.Thread(target=self._read_blocks, daemon=True)
            self._reading.start()
        block: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._wanted.put(block)
        return await block

    def _read_blocks(self) -> None:
        """The thread: read a block for each future, and have the loop set it."""
        while True:
            wanted = self._wanted.get()
            try:
                block = os.read(self._descriptor, _BLOCK_BYTES)
            except OSError:
                block = b""
            try:
                wanted.get_loop().call_soon_threadsafe(_give, wanted, block)
            except RuntimeError:
                return  # the loop has ended meanwhile


def _give(wanted: asyncio.Future[bytes], block: bytes) -> None:
    if not wanted.done():
        wanted.set_result(block)
