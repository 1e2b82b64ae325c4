"""A trap in a server: holds it at one point of one link, and ends it there on demand.

It sits around links and around the store, so that nothing of the server knows of it. It
is hit once: armed for a point and a mark (the body of a message, or the name of an
account that is deleted), it tells that the point is reached, holds what runs there, and
when told to fire cuts that link or kills the process. From then on the door that the
link came by is barred: whoever comes back has to take another.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from chatcore.commands import Acknowledge, Command, Delete, Send
from chatcore.events import Accepted, Delivered, Event
from chatcore.model import Deposit
from chatcore.store import DepositResult, KeySpan, MailboxRoom, Store
from tests.moving.link_ends import Point, Way
from transports.awaited_link import AwaitedLink
from transports.base import (
    Address,
    FrameHandler,
    Link,
    LinkSettings,
    Listener,
    ServeLink,
    Spawn,
    Transport,
)
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.task_link import TaskLink
from transports.wrapped_link import WrappedLink


class Failpoint:
    """What is waited for, and what is done then.

    Attributes:
        is_barred: whether the first doors let nobody in.
    """

    def __init__(self, say: Callable[[str], None], *, is_barred: bool) -> None:
        self._say = say
        self._point: Point | None = None
        self._way = Way.CUT
        self._mark = ""
        self._fire = asyncio.Event()
        self._link: FailpointLink | None = None
        self.is_barred = is_barred

    def arm(self, point: Point, way: Way, mark: str) -> None:
        """Wait for a point, and open the doors again."""
        self._point, self._way, self._mark = point, way, mark
        self._fire.clear()
        self._link = None
        self.is_barred = False

    def fire(self) -> None:
        """End what is held."""
        self._fire.set()

    def waits_for(self, point: Point) -> bool:
        """Whether it is armed for a point."""
        return self._point is point

    def is_marked(self, text: str) -> bool:
        """Whether a body or a name is the one that is waited for."""
        return text == self._mark

    def choose(self, link: "FailpointLink") -> None:
        """Take the link that the marked command came on."""
        self._link = link

    async def trigger(self, link: "FailpointLink | None" = None) -> None:
        """Hold the caller until told to fire; then end a link, or the process."""
        link = link or self._link
        assert link is not None, "nobody has sent the marked command"
        self._point = None
        self._say(f"there {link.door}")
        await self._fire.wait()
        self.is_barred = True
        if self._way is Way.KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        link.cut()
        self._say("fired")


class FailpointLink(TaskLink, WrappedLink):
    """See ``transports.base.Link``; reads along, and knows when a point is reached.

    Attributes:
        door: the scheme that it came by.
    """

    def __init__(
        self, link: Link, codec: Codec, failpoint: Failpoint, door: str
    ) -> None:
        TaskLink.__init__(self)
        WrappedLink.__init__(self, link)
        self._codec = codec
        self._failpoint = failpoint
        self._awaited: int | None = None
        self._is_deleting = False
        self._has_acknowledged = False
        self._is_cut = False
        self.door = door

    def cut(self) -> None:
        """Lose the link; nothing comes or goes on it any more."""
        self._is_cut = True
        self.link.abort()

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``."""
        self._awaited_link = AwaitedLink(self.link)
        super().start(handler)

    async def receive(self) -> Sequence[bytes]:
        """See ``transports.task_link.TaskLink``."""
        if self._has_acknowledged and self._failpoint.waits_for(Point.AMID_DELETION):
            # What was read before has been taken: that is why more is asked for.
            await self._hold()
        try:
            frames = await self._awaited_link.receive()
        except LinkClosed as closed:
            if self._is_cut:
                raise LinkClosed from closed
            raise
        for frame in frames:
            for request in self._codec.decode_commands(frame):
                await self._look_at_command(request.id, request.command)
        return frames

    async def _look_at_command(self, command_id: int, command: Command) -> None:
        failpoint = self._failpoint
        if isinstance(command, Send) and failpoint.is_marked(command.body):
            self._awaited = command_id
            failpoint.choose(self)
            if failpoint.waits_for(Point.BEFORE_READ):
                await self._hold()
        elif isinstance(command, Delete) and failpoint.is_marked(command.username):
            self._is_deleting = True
        elif isinstance(command, Acknowledge) and self._is_deleting:
            self._has_acknowledged = True

    async def send(self, frames: Sequence[bytes]) -> None:
        """See ``transports.task_link.TaskLink``."""
        if self._is_cut:
            raise LinkClosed
        await self._awaited_link.send(frames)
        for frame in frames:
            for event in self._codec.decode_events(frame):
                if self._ends_here(event):
                    await self._hold()

    def _ends_here(self, event: Event) -> bool:
        """Whether an event, once written, is what the trap waits for."""
        failpoint = self._failpoint
        if isinstance(event, Accepted) and failpoint.waits_for(Point.RECEIPT_WRITTEN):
            return event.id == self._awaited
        if isinstance(event, Delivered):
            at = Point.DELIVERED_BEFORE_ACKNOWLEDGEMENT
            return failpoint.waits_for(at) and failpoint.is_marked(event.body)
        return False

    async def _hold(self) -> None:
        await self._failpoint.trigger(self)
        raise LinkClosed


class FailpointTransport:
    """A transport whose first door, ``?door=first``, leads past the trap."""

    def __init__(self, transport: Transport, failpoint: Failpoint) -> None:
        self._transport = transport
        self._failpoint = failpoint

    @property
    def codecs(self) -> Sequence[str]:
        """See ``transports.base.Transport``."""
        return self._transport.codecs

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """See ``transports.base.Transport``."""

        async def serve_trapped(link: Link, codec: Codec) -> None:
            if self._failpoint.is_barred:
                link.abort()
            else:
                trapped = FailpointLink(link, codec, self._failpoint, address.scheme)
                await serve_link(trapped, codec)

        chosen = serve_trapped if "door" in address.options else serve_link
        return await self._transport.listen(address, chosen, settings, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        return await self._transport.dial(address, codec, settings)


class FailpointStore:
    """A store that has committed the marked message before the trap springs."""

    def __init__(self, store: Store, failpoint: Failpoint) -> None:
        self._store = store
        self._failpoint = failpoint

    def __getattr__(self, name: str) -> object:
        """What the trap has nothing to do with."""
        return getattr(self._store, name)

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        """See ``chatcore.store.Store``."""
        results = await self._store.deposit(deposits, room=room, keys=keys)
        if self._failpoint.waits_for(Point.STORED_BEFORE_RECEIPT) and any(
            self._failpoint.is_marked(it.body) for it in deposits
        ):
            await self._failpoint.trigger()
        return results
