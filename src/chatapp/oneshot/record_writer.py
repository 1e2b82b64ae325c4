"""Standard output, of which it is known what has arrived.

A message is acknowledged when it is printed, so a line counts as printed late: when it
is written, and where it went into a pipe, when the next program has taken it out. What
waits in a pipe is lost with its reader (``receive | head -1``).

Nothing here blocks, since a signal and the server's pings have to be answered while a
reader takes its time: POSIX has a pipe that is ready for writing take ``PIPE_BUF``
bytes.
"""

import asyncio
import json
import os
import select
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from chatapp.errors import CannotWrite
from chatapp.sanitize import sanitize

_AT_ONCE: Final = 20
_LONGEST_PAUSE_S: Final = 0.02
_IS_POSIX: Final = os.name == "posix"
_CHUNK_BYTES: Final = select.PIPE_BUF if _IS_POSIX else 4096


@dataclass(frozen=True, slots=True)
class Record:
    """Something to print: ``fields`` for programs, ``line`` for people."""

    fields: Mapping[str, object]
    line: str


class RecordWriter:
    """Where a command prints its records.

    Args:
        descriptor: an open file, pipe or terminal.
        encoding: of lines for people; JSON is ASCII.
        as_json: print an object a line.
    """

    def __init__(self, descriptor: int, *, encoding: str, as_json: bool) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._as_json = as_json
        self._is_pipe = _IS_POSIX and stat.S_ISFIFO(os.fstat(descriptor).st_mode)

    @classmethod
    def standard(cls, *, as_json: bool) -> Self:
        """The process's own.

        Raises:
            CannotWrite: it is closed.
        """
        if sys.stdout is None:
            raise CannotWrite("There is no standard output to write to.")
        return cls(sys.stdout.fileno(), encoding=sys.stdout.encoding, as_json=as_json)

    async def print(self, record: Record) -> None:
        """Write a record; a pipe's reader may not have it yet.

        Raises:
            BrokenPipeError: nobody reads any more.
            CannotWrite: the system does not take it.
        """
        line = json.dumps(record.fields) if self._as_json else sanitize(record.line)
        left = memoryview(f"{line}\n".encode(self._encoding, "backslashreplace"))
        while left:
            await self._writable()
            try:
                written = os.write(self._descriptor, left[:_CHUNK_BYTES])
            except BrokenPipeError:
                raise
            except OSError as error:
                raise CannotWrite(f"Cannot write the output: {error}.") from error
            left = left[written:]

    @property
    def is_taken(self) -> bool:
        """Whether all that was printed has left the pipe, if it is one."""
        return not (self._is_pipe and _unread(self._descriptor))

    async def taken(self) -> None:
        """Return when ``is_taken``.

        Raises:
            BrokenPipeError: the reader has gone before.
        """
        looks = 0
        while not self.is_taken:
            if _has_no_reader(self._descriptor):
                raise BrokenPipeError
            # Nothing tells when a pipe gets empty; a reader that waits takes it soon.
            pauses = looks - _AT_ONCE
            pause_s = min(0.0001 * 2**pauses, _LONGEST_PAUSE_S) if pauses > 0 else 0.0
            await asyncio.sleep(pause_s)
            looks = min(looks + 1, _AT_ONCE + 10)

    async def watch_reader(self) -> None:
        """Raise ``BrokenPipeError`` when a pipe's reader has gone; never return."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        if self._is_pipe:
            # A pipe's writing end becomes "readable" by that alone.
            loop.add_reader(self._descriptor, _set, gone)
        try:
            await gone
        finally:
            if self._is_pipe:
                loop.remove_reader(self._descriptor)
        raise BrokenPipeError

    async def _writable(self) -> None:
        """Return when ``_CHUNK_BYTES`` can be written without waiting."""
        if not _IS_POSIX or select.select([], [self._descriptor], [], 0)[1]:
            return
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._descriptor, _set, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._descriptor)


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _unread(descriptor: int) -> int:
    """Bytes that wait in a pipe; 0 where the system does not tell."""
    import fcntl  # noqa: PLC0415  # Windows has none
    import termios  # noqa: PLC0415

    try:
        told = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(told, sys.byteorder)


def _has_no_reader(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))
