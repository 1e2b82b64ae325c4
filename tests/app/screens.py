"""A terminal for a command: a pseudo-terminal, and an emulator that shows it.

The emulator also answers what a program asks its terminal, such as where the cursor is.
"""

import os
import select
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyte

from tests.app.processes import COMMAND, PATIENCE_S, environment

ROWS, COLUMNS = 24, 80


class _Emulator(pyte.Screen):
    """A screen that types its answers, such as where the cursor is."""

    def __init__(self, answer: Callable[[str], None]) -> None:
        super().__init__(COLUMNS, ROWS)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """A command on a terminal, as its user sees it."""

    def __init__(self, url: str, command: Sequence[str]) -> None:
        self._ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (ROWS, COLUMNS))
        self._screen = _Emulator(self.type)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=environment({"TERM": "xterm", "CHATCORE_CONNECT": url}),
        )
        os.close(theirs)

    @property
    def lines(self) -> list[str]:
        """What the screen shows, without empty lines, after a few that are empty."""
        shown = [line.rstrip() for line in self._screen.display if line.strip()]
        return ["", "", "", *shown]

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def see(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the screen is as wanted; its lines then."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not wanted(self.lines):
            left_s = deadline_s - time.monotonic()
            assert self._take(left_s), f"the screen shows {self.lines}"
        return self.lines

    def wait(self) -> int:
        """Read to the end; the exit status."""
        while self._take(PATIENCE_S):
            pass
        return self.process.wait(PATIENCE_S)

    def _take(self, within_s: float) -> bool:
        """Show the next of what is written; False when nothing comes."""
        if within_s <= 0 or not select.select([self._ours], [], [], within_s)[0]:
            return False
        try:
            written = os.read(self._ours, 65_536)
        except OSError:  # on Linux, the other end is closed
            return False
        self.written += written
        self._stream.feed(written)
        return bool(written)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(url: str, *command: str) -> Iterator[Terminal]:
    """A command on a terminal while the block runs; without one, a client."""
    opened = Terminal(url, command or (*COMMAND, "client"))
    try:
        yield opened
    finally:
        opened.close()
