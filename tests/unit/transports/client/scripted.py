"""A server that says what a test tells it to, and takes note of what it is told.

It stands on TCP, and knows frames and nothing of a chat::

    async def first(peer: Peer) -> None:
        await peer.say(WELCOME)
        login = await peer.hear(Login)
        ...

    async with scripted(first, second) as server, connect(server.url) as client:

Each link gets the next script, and is cut at its end; after the last one the server is
gone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

from chatcore.commands import Command, Login, Logout, Request, Resume
from chatcore.events import (
    Accepted,
    Delivered,
    Event,
    LoggedIn,
    LoggedOut,
    Resumed,
    Welcome,
)
from chatcore.ids import AccountId, Position, ResumeToken, Username
from chatcore.limits import KIB, MIB
from transports import ReconnectPolicy
from transports.codec import codec

NOW_MS: Final = 1_795_000_000_000
PASSWORD: Final = "correct horse"
SOON: Final = ReconnectPolicy(first_delay_s=0.001, longest_delay_s=0.002)
BRIEFLY: Final = ReconnectPolicy(
    first_delay_s=0.001, longest_delay_s=0.001, give_up_s=0.002
)
"""Gives up as soon as the scripted server is gone."""
WELCOME: Final = Welcome(
    server_time_ms=NOW_MS,
    frame_bytes=MIB,
    body_bytes=64 * KIB,
    pending_commands=1024,
    window_messages=256,
    login_frame_bytes=32 * KIB,
)
_CODEC: Final = codec("protobuf")


class LinkEnded(Exception):
    """The client has ended the link."""


class Peer:
    """The server's end of one link."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._heard: list[Request] = []

    async def say(self, *events: Event) -> None:
        """Write one frame."""
        await self.write(framed(*events))

    async def write(self, chunk: bytes) -> None:
        """Write bytes, whatever they are."""
        self._writer.write(chunk)
        with suppress(OSError):
            await self._writer.drain()

    async def hear(self, *kinds: type[Command]) -> Request:
        """The next command, or the next of these kinds; raises ``LinkEnded``."""
        while True:
            while not self._heard:
                self._heard = await self._frame()
            request = self._heard.pop(0)
            if not kinds or isinstance(request.command, kinds):
                return request

    async def hear_all(self) -> list[Request]:
        """What else the client says until it ends the link; it may log out."""
        requests = []
        with suppress(LinkEnded):
            while True:
                requests.append(await self.hear())
                if isinstance(requests[-1].command, Logout):
                    await self.say(LoggedOut(requests[-1].id))
        return requests

    async def log_in(self, *, token: bytes = b"first", acknowledged: int = 0) -> Login:
        """Welcome the client and answer its login; what it said."""
        await self.say(WELCOME)
        number, command = await self.hear(Login)
        await self.say(logged_in(number, token=token, acknowledged=acknowledged))
        assert isinstance(command, Login)
        return command

    async def resume(self) -> Resume:
        """Welcome the client and have its session resumed; what it said."""
        await self.say(WELCOME)
        _, command = await self.hear(Resume)
        assert isinstance(command, Resume)
        await self.say(resumed(command.last_seen))
        return command

    async def greet(self) -> None:
        """Answer the line that a client begins with (W2)."""
        await self._reader.readline()
        await self.write(b"CHAT/1 ok\n")

    def cut(self) -> None:
        """End the link at once."""
        self._writer.transport.abort()

    async def _frame(self) -> list[Request]:
        try:
            size = int.from_bytes(await self._reader.readexactly(4))
            return _CODEC.decode_commands(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError) as ended:
            raise LinkEnded from ended


Script: TypeAlias = Callable[[Peer], Awaitable[object]]


class ScriptedServer:
    """See the module.

    Attributes:
        url: where it listens.
        links: how many there were.
        is_over: the test has ended.
    """

    def __init__(self, scripts: tuple[Script, ...], tasks: asyncio.TaskGroup) -> None:
        self._scripts = scripts
        self._tasks = tasks
        self.url = ""
        self.links = 0
        self.is_over = False
        self.listening: asyncio.Server

    def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Play the next script."""
        self.links += 1
        peer = Peer(reader, writer)
        if self.links > len(self._scripts) or self.is_over:
            peer.cut()  # it was accepted before the listener was closed
            return
        if self.links == len(self._scripts):
            self.listening.close()
        self._tasks.create_task(self._play(self._scripts[self.links - 1], peer))

    async def _play(self, script: Script, peer: Peer) -> None:
        try:
            await peer.greet()
            await script(peer)
        except (LinkEnded, OSError):
            pass  # the test sees what the client makes of it
        finally:
            peer.cut()


@asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[ScriptedServer]:
    """A server that plays these while the block runs."""
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        server = ScriptedServer(scripts, tasks)
        server.listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
        port = server.listening.sockets[0].getsockname()[1]
        server.url = f"tcp://127.0.0.1:{port}"
        try:
            yield server
        except Exception as error:  # noqa: BLE001  # raised below, as it came
            failure = error
        finally:
            server.is_over = True
            server.listening.close()
    if failure is not None:
        raise failure


def framed(*events: Event) -> bytes:
    """Events as a frame behind its length (W2)."""
    frame = _CODEC.encode_events(events)
    return len(frame).to_bytes(4) + frame


def logged_in(number: int, *, token: bytes = b"first", acknowledged: int = 0) -> Event:
    """Ada's login is answered."""
    return LoggedIn(
        id=number,
        account=AccountId(1),
        username=Username("ada"),
        token=ResumeToken(token),
        queued=0,
        acknowledged=Position(acknowledged),
        grace_ms=30_000,
    )


def resumed(last_seen: int) -> Event:
    """Ada's session goes on."""
    return Resumed(
        id=0,
        account=AccountId(1),
        username=Username("ada"),
        queued=0,
        last_seen=Position(last_seen),
    )


def accepted(number: int) -> Accepted:
    """A message is stored."""
    return Accepted(number, AccountId(2), Position(1), 0, durable=True)


def mail(position: int, *, follows: int | None = None, body: str = "hello") -> Event:
    """A message for Ada, after the one before it."""
    return Delivered(
        position=Position(position),
        follows=Position(position - 1 if follows is None else follows),
        sender=Username("bob"),
        sender_id=AccountId(2),
        sender_deleted=False,
        body=body,
        sent_at_ms=NOW_MS,
    )
