"""A screen without a terminal: lines from a pipe or file, results to stdout.

A thread reads, since an event loop cannot wait for a file; one block at a time, and
only when a line is asked for. It reads the descriptor and not ``sys.stdin``, whose lock
would hold up the interpreter's end while the thread is waiting.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from queue import SimpleQueue
from typing import Final

from chatapp.client.screen import harmless

_BLOCK_BYTES: Final = 64 * 1024
_STDIN: Final = 0


class Pipe:
    """See ``chatapp.client.screen.Screen``; prompts are not shown."""

    def __init__(self, descriptor: int = _STDIN) -> None:
        self._descriptor = descriptor
        self._wanted: SimpleQueue[asyncio.Future[bytes]] = SimpleQueue()
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._is_over = False
        self._reading: threading.Thread | None = None
        if hasattr(sys.stdout, "reconfigure"):
            # A terminal's encoding may lack what a message has.
            sys.stdout.reconfigure(errors="backslashreplace")

    async def ask(self, prompt: str) -> str | None:  # noqa: ARG002  # nobody sees it
        """See ``chatapp.client.screen.Screen``."""
        while not self._lines and not self._is_over:
            self._take(await self._read())
        if not self._lines:
            return None
        return self._lines.popleft().decode("utf-8", "replace").removesuffix("\r")

    async def ask_secret(self, prompt: str) -> str | None:
        """See ``chatapp.client.screen.Screen``."""
        return await self.ask(prompt)

    def show(self, line: str) -> None:
        """See ``chatapp.client.screen.Screen``."""
        print(harmless(line), flush=True)  # noqa: T201  # this is what it is for

    def _take(self, block: bytes) -> None:
        """Cut a block into lines; the last one may lack its end."""
        self._is_over = not block
        *lines, self._rest = (self._rest + block).split(b"\n")
        self._lines.extend(lines)
        if self._is_over and self._rest:
            self._lines.append(self._rest)

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
