"""The operator's socket, beside a chat that is served.

Who may open the file is who may use it (mode 0600), and where the system tells who is
at the other end, only the server's own user and root are answered. All is bounded: the
length of a line, how many are connected, how long each may take.
"""

import asyncio
import logging
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, cast

from chatapp.admin.commands import CHANGES, COMMANDS, Arguments, ArgumentWrong, Done
from chatapp.admin.protocol import (
    REQUEST_BYTES,
    NotUnderstood,
    encode,
    parse_request,
)
from chatapp.errors import AdminAskedWrongly, CannotServe
from chatcore import Chat
from chatcore.errors import Busy, InternalError, Refusal, capitals
from chatstores.errors import OpeningError

_log = logging.getLogger(__name__)

CONNECTIONS: Final = 8
"""Operators at a time."""
IDLE_S: Final = 30.0
"""How long a client may take to ask, or to take what it is told."""
_BUSY_MS: Final = 1000
_LAST_WORDS_S: Final = 5.0
_ITEMS_AT_ONCE: Final = 64
_UNSENT_BYTES: Final = 64 * 1024
_MODE: Final = 0o600
_ROOT: Final = 0
_CREDENTIALS: Final = struct.Struct("3i")
"""Of Linux: process, user, group."""


@asynccontextmanager
async def admin_socket(
    chat: Chat, path: str, *, idle_s: float = IDLE_S
) -> AsyncIterator[None]:
    """Answer the operator at this path while the block runs; nowhere for an empty one.

    A file that a server has left is replaced.

    Raises:
        CannotServe: another server answers there, it is no socket, or cannot be made.
    """
    if not path:
        yield
        return
    listening = _listen(path)
    identity = _identity(path)
    door = _Door(chat, idle_s=idle_s)
    server = await asyncio.start_unix_server(
        door.serve, sock=listening, limit=REQUEST_BYTES
    )
    _log.info("The operator's socket is %s", path)
    try:
        yield
    finally:
        server.close()
        await door.close()
        # Another server may have taken its place.
        if identity == _identity(path):
            _remove(path)


def _listen(path: str) -> socket.socket:
    if not hasattr(socket, "AF_UNIX") or not hasattr(asyncio, "start_unix_server"):
        raise CannotServe(
            f"--admin-socket {path}: this system has no Unix sockets in Python."
        )
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        # Nobody else may connect between this and a chmod.
        before = os.umask(0o777 & ~_MODE)
        try:
            listening.bind(path)
        finally:
            os.umask(before)
        listening.listen(CONNECTIONS)
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise CannotServe(
            f"--admin-socket {path}: cannot listen there: {reason}."
        ) from error
    except CannotServe:
        listening.close()
        raise
    return listening


def _remove_stale(path: str) -> None:
    """Make room where no server answers any more."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotServe(f"--admin-socket {path}: something else is there.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except (TimeoutError, BlockingIOError):
            pass  # somebody is there, and busy
    raise CannotServe(f"--admin-socket {path}: another server answers there.")


def _remove(path: str) -> None:
    with suppress(OSError):
        Path(path).unlink()


def _identity(path: str) -> tuple[int, int] | None:
    """Which file this is."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Door:
    """Answers those who are connected."""

    def __init__(self, chat: Chat, *, idle_s: float) -> None:
        self._chat = chat
        self._idle_s = idle_s
        self._tasks: set[asyncio.Task[object]] = set()
        self._busy: set[asyncio.Task[object]] = set()
        self._is_closing = False

    async def close(self) -> None:
        """End all connections, those on which something is carried out after that."""
        self._is_closing = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_WORDS_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one client until it goes, is too slow, or cannot be understood."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.add(task)
        try:
            await self._converse(reader, writer, task)
        except OSError:
            pass  # it has gone, or is too slow
        except asyncio.CancelledError:
            pass  # the server stops; whoever cancels waits for the end
        finally:
            self._tasks.discard(task)
            self._busy.discard(task)
            writer.close()

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[object],
    ) -> None:
        user = _user_of(writer)
        if user is not None and user not in {_ROOT, os.geteuid()}:
            _log.warning("User %d is not answered on the operator's socket", user)
            return
        if len(self._tasks) > CONNECTIONS:
            await self._tell(writer, _error(Busy(retry_after_ms=_BUSY_MS)))
            return
        while not self._is_closing:
            try:
                async with asyncio.timeout(self._idle_s):
                    line = await reader.readline()
            except ValueError:
                text = f"A request has at most {REQUEST_BYTES} bytes"
                await self._tell(writer, _wrong(text))
                return
            if not line.endswith(b"\n"):
                return  # it has gone, in the middle of a word or before
            try:
                command, arguments = parse_request(line)
            except NotUnderstood as error:
                await self._tell(writer, _wrong(str(error)))
                return
            self._busy.add(task)
            await self._answer(writer, command, arguments, user)
            self._busy.discard(task)

    async def _answer(
        self,
        writer: asyncio.StreamWriter,
        command: str,
        arguments: dict[str, object],
        user: int | None,
    ) -> None:
        """Carry out one request; what it is refused with ends it and no more."""
        if command not in COMMANDS:
            await self._tell(writer, _wrong(f"There is no command {command!r}"))
            return
        # Who did what to whom; never a password.
        _log.log(
            logging.INFO if command in CHANGES else logging.DEBUG,
            "Operator%s: %s %s",
            "" if user is None else f" (user {user})",
            command,
            _about(arguments),
        )
        try:
            await self._carry_out(writer, command, arguments)
        except ArgumentWrong as error:
            await self._tell(writer, _wrong(str(error)))
        except Refusal as refusal:
            await self._tell(writer, _error(refusal))
        except OpeningError as error:
            await self._tell(writer, _failed(error))
        except OSError:
            raise
        except Exception:  # noqa: BLE001  # one command's fault ends no other
            _log.exception("The operator's command %s failed", command)
            await self._tell(writer, _error(InternalError()))

    async def _carry_out(
        self, writer: asyncio.StreamWriter, command: str, arguments: dict[str, object]
    ) -> None:
        items = 0
        answering = COMMANDS[command](self._chat, Arguments(arguments))
        async with aclosing(answering) as answers:
            async for answer in answers:
                match answer:
                    case None:
                        await asyncio.sleep(0)
                    case Done(fields):
                        await self._tell(writer, {"done": dict(fields)})
                    case item:
                        writer.write(encode({"item": dict(item)}))
                        items += 1
                        waiting = writer.transport.get_write_buffer_size()
                        if items % _ITEMS_AT_ONCE == 0 or waiting > _UNSENT_BYTES:
                            await self._drain(writer)
                            await asyncio.sleep(0)

    async def _tell(
        self, writer: asyncio.StreamWriter, line: dict[str, object]
    ) -> None:
        writer.write(encode(line))
        await self._drain(writer)

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._idle_s):
            await writer.drain()


def _about(arguments: Mapping[str, object]) -> object:
    """What a command is about, as far as a log may have it."""
    named = (arguments.get(name) for name in ("username", "pattern", "changes", "path"))
    return next((it for it in named if it), "")


def _user_of(writer: asyncio.StreamWriter) -> int | None:
    """Who is at the other end, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    # Not every event loop's own object can be asked.
    number: int = writer.get_extra_info("socket").fileno()
    with socket.socket(fileno=os.dup(number)) as asked:
        found = asked.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
        )
    _, user, _ = _CREDENTIALS.unpack(found)
    return int(user)


def _error(refusal: Refusal) -> dict[str, object]:
    return {
        "error": {
            "code": refusal.code,
            "name": refusal.name,
            "text": refusal.text,
            "fields": refusal.fields,
        }
    }


def _failed(error: OpeningError) -> dict[str, object]:
    """What a file of the store could not be made for."""
    return {
        "error": {
            "code": error.code,
            "name": capitals(type(error).__name__),
            "text": error.text,
            "fields": error.fields,
        }
    }


def _wrong(text: str) -> dict[str, object]:
    """What was asked wrongly."""
    return {
        "error": {
            "code": AdminAskedWrongly.code,
            "name": "ADMIN_ASKED_WRONGLY",
            "text": f"{text}.",
            "fields": {},
        }
    }
