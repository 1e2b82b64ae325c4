"""A peer without manners: says and reads exactly what a test wants, on any transport.

It stands on what a transport's ``dial`` gives and a codec. What it waits for it gets
within ``WITHIN_S``, or the test fails.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, TypeVar

from chatcore.commands import (
    Acknowledge,
    Command,
    DeliveryMode,
    Login,
    Request,
    Resume,
    Send,
)
from chatcore.errors import CloseCode, Refusal
from chatcore.events import (
    Accepted,
    Closing,
    Delivered,
    Event,
    LoggedIn,
    Received,
    Refused,
    Resumed,
    Welcome,
)
from transports.awaited_link import AwaitedLink
from transports.codec import Codec
from transports.errors import LinkClosed

WITHIN_S: Final = 10.0
PASSWORD: Final = "correct horse"

_Kind = TypeVar("_Kind", bound=Event)


class Peer:
    """One end of a link, and the events that came on it.

    Attributes:
        link: the link itself, to be cut or clogged.
        codec: how frames are written.
        welcome: the first event that came.
        frames: the size of each frame that came, in bytes.
    """

    def __init__(self, link: AwaitedLink, codec: Codec) -> None:
        self.link = link
        self.codec = codec
        self.welcome: Welcome
        self.frames: list[int] = []
        self._events: deque[Event] = deque()
        self._last_id = 0

    # ---- saying

    async def tell(self, *commands: Command) -> list[int]:
        """Write commands in one frame; the ids that they were given."""
        requests = [Request(self._next_id(), it) for it in commands]
        await self.write(self.codec.encode_commands(requests))
        return [it.id for it in requests]

    async def write(self, *frames: bytes) -> None:
        """Write frames as they are."""
        async with asyncio.timeout(WITHIN_S):
            await self.link.send(frames)

    async def offend(self, frame: bytes) -> None:
        """Write what the server ends a link for; it may be quick to do so."""
        with suppress(LinkClosed):
            await self.write(frame)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # ---- reading

    async def next(self) -> Event:
        """The next event, whatever it is; raises ``LinkClosed`` at the end."""
        while not self._events:
            await self._receive()
        return self._events.popleft()

    async def _receive(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            for frame in await self.link.receive():
                self.frames.append(len(frame))
                self._events.extend(self.codec.decode_events(frame))

    async def answer(self, command_id: int, kind: type[_Kind]) -> _Kind:
        """The first event of this kind that names a command; others stay to be read."""
        seen = 0
        while True:
            for event in list(self._events)[seen:]:
                if isinstance(event, kind) and getattr(event, "id", None) == command_id:
                    self._events.remove(event)
                    return event
            seen = len(self._events)
            await self._receive()

    async def expect(self, kind: type[_Kind]) -> _Kind:
        """The next event, which has to be of this kind."""
        event = await self.next()
        assert isinstance(event, kind), event
        return event

    async def until(self, kind: type[_Kind]) -> _Kind:
        """The next event of this kind; those before it are passed over."""
        while not isinstance(event := await self.next(), kind):
            pass
        return event

    async def welcomed(self) -> Welcome:
        """The event that every link begins with."""
        return await self.expect(Welcome)

    async def mail(self, count: int) -> list[Delivered]:
        """The next messages; only notices of acknowledgements may come between."""
        messages: list[Delivered] = []
        while len(messages) < count:
            event = await self.next()
            assert isinstance(event, Delivered | Received), event
            if isinstance(event, Delivered):
                messages.append(event)
        return messages

    async def closed(self) -> Closing:
        """Read to the end: the last event, which says why."""
        closing = await self.until(Closing)
        await self.ended()
        return closing

    async def end_code(self) -> CloseCode:
        """Read to the end: the code that the server ended the link with.

        The last event says it, or where the transport itself refused a frame, its own
        way to close.
        """
        try:
            while True:
                if isinstance(event := await self.next(), Closing):
                    return event.code
        except LinkClosed as closed:
            return closed.code

    async def ended(self) -> list[Event]:
        """Read to the end of the link: what came until then."""
        events: list[Event] = []
        try:
            while True:
                events.append(await self.next())
        except LinkClosed:
            return events

    # ---- both

    async def ask(self, command: Command, kind: type[_Kind]) -> _Kind:
        """The answer to a command, which has to be of this kind."""
        (command_id,) = await self.tell(command)
        return await self.answer(command_id, kind)

    async def refusal(self, command: Command) -> Refusal:
        """How a command is refused."""
        return (await self.ask(command, Refused)).refusal

    async def login(
        self,
        username: str,
        password: str = PASSWORD,
        *,
        delivery: DeliveryMode = DeliveryMode.PUSH,
    ) -> LoggedIn:
        """Log in; the account is made when there is none."""
        command = Login(
            username=username, password=password, create=True, delivery=delivery
        )
        return await self.ask(command, LoggedIn)

    async def resume(self, token: bytes, last_seen: int = 0) -> Resumed:
        """Attach a session to this link."""
        return await self.ask(Resume(token, last_seen), Resumed)

    async def send(self, recipient: str, *bodies: str) -> list[Accepted]:
        """Send messages in one frame; their receipts."""
        ids = await self.tell(*(Send(recipient, body) for body in bodies))
        return [await self.answer(it, Accepted) for it in ids]

    async def acknowledge(self, position: int) -> None:
        """Acknowledge everything up to a position."""
        await self.tell(Acknowledge(position))

    def cut(self) -> None:
        """End the link without a word."""
        self.link.abort()
