"""Both ends of a bare link in a cell: a transport without a chat, and its listener."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from chatcore.errors import CloseCode
from tests.certificates import client_tls, server_tls
from tests.conformance.matrix import Cell
from tests.faults.splitting import SplittingTransport
from transports.base import (
    Admission,
    Link,
    LinkSettings,
    Listener,
    NoLimit,
    Transport,
    parse_address,
)
from transports.certificates import ServerCertificate
from transports.codec import Codec
from transports.codec import codec as codec_of
from transports.errors import CannotConnect, LinkClosed
from transports.registry import dial, transport_for

WITHIN_S: float = 10.0
"""What a check waits for comes within this time, or it fails; a planted fault is not
waited for so long."""

KIB: Final = 1024
FRAME_BYTES: Final = 32 * KIB
LATER_FRAME_BYTES: Final = 1024 * KIB
HELLO: Final = b"hello"
"""What a server writes first: some transports take that for the end of a handshake."""


class End:
    """One end of a link, and what it tells.

    Attributes:
        frames: what has arrived.
        ends: each end that was told, in order.
        resumed: how often the link was clogged no more.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.frames: list[bytes] = []
        self.ends: list[LinkClosed] = []
        self.resumed = 0
        self._changed = asyncio.Event()
        link.start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        self.frames += frames
        self._changed.set()

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        self.ends.append(end)
        self._changed.set()

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self.resumed += 1
        self._changed.set()

    @property
    def codes(self) -> list[CloseCode]:
        """The codes of the ends that were told."""
        return [it.code for it in self.ends]

    @property
    def is_gone(self) -> bool:
        """Whether it was told that nothing can be written any more."""
        return any(it.is_gone for it in self.ends)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Return once it is so, which only what is told can change."""
        async with asyncio.timeout(WITHIN_S):
            await self.told(is_so)

    async def told(self, is_so: Callable[[], object]) -> None:
        """The same, however long it takes."""
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    def wake(self) -> None:
        """Have whoever waits look again."""
        self._changed.set()

    async def received(self, *frames: bytes) -> None:
        """Return once these have arrived, and nothing else has."""
        await self.until(lambda: len(self.frames) >= len(frames) or self.ends)
        assert self.frames == list(frames), (len(self.frames), self.codes)

    async def ended(self) -> None:
        """Return once nothing more arrives."""
        await self.until(lambda: self.ends)

    async def gone(self) -> None:
        """Return once nothing can be written any more either."""
        await self.until(lambda: self.is_gone)

    async def unclogged(self) -> None:
        """Return once the peer takes what was written."""
        await self.until(lambda: not self.link.is_clogged)


class Doorkeeper(NoLimit):
    """Counts who was let in; see ``transports.base.Admission``."""

    def __init__(self, *, lets_in: bool = True) -> None:
        self._lets_in = lets_in
        self._changed = asyncio.Event()
        self.entered: list[str] = []
        self.left: list[str] = []

    def enter(self, address: str) -> bool:
        """See ``transports.base.Admission``."""
        if self._lets_in:
            self.entered.append(address)
        return self._lets_in

    def leave(self, address: str) -> None:
        """See ``transports.base.Admission``."""
        self.left.append(address)
        self._changed.set()

    async def until_empty(self) -> None:
        """Return once each has left that was let in."""
        async with asyncio.timeout(WITHIN_S):
            while sorted(self.left) != sorted(self.entered):
                self._changed.clear()
                await self._changed.wait()


class Listening:
    """A listener without a chat; ``listening`` makes it.

    Attributes:
        listener: what the transport has made.
        accepted: the server's end of each link, once it has shaken hands.
    """

    listener: Listener

    def __init__(self, cell: Cell, tasks: asyncio.TaskGroup) -> None:
        self._cell = cell
        self._tasks = tasks
        self._dialled: list[Link] = []
        self._spawned: set[asyncio.Task[None]] = set()
        self._is_over = False
        self.accepted: asyncio.Queue[End] = asyncio.Queue()
        self.open: set[End] = set()

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """See ``transports.base.Spawn``: none of it fails here."""
        task = self._tasks.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)

    async def end_spawned(self) -> list[str]:
        """Wait until all work of the listener has returned, as it has to by now; what
        has not, and is cancelled.
        """
        if self._spawned:
            await asyncio.wait(self._spawned, timeout=WITHIN_S)
        left = [str(it.get_coro()) for it in self._spawned]
        for task in self._spawned:
            task.cancel()
        return left

    async def serve_link(self, link: Link, codec: Codec) -> None:
        """See ``transports.base.ServeLink``."""
        assert codec.name == self._cell.codec
        end = End(link)
        self.open.add(end)
        link.write([HELLO])
        self.accepted.put_nowait(end)
        try:
            await end.told(lambda: end.is_gone or self._is_over)
        finally:
            self.open.discard(end)

    async def dial(self, url: str = "") -> End:
        """The client's end of a new link."""
        address = parse_address(url or self.listener.url)
        codec = codec_of(self._cell.codec)
        settings = LinkSettings(frame_bytes=16 * 1024 * KIB, client_tls=client_tls())
        async with asyncio.timeout(WITHIN_S):
            link = await dial(address, codec, settings)
        self._dialled.append(link)
        return End(link)

    async def connect(self) -> tuple[End, End]:
        """Both ends of a new link, the server's first, past what was said first."""
        theirs = await self.dial()
        async with asyncio.timeout(WITHIN_S):
            ours = await self.accepted.get()
        await theirs.received(HELLO)
        theirs.frames.clear()
        return ours, theirs

    def cut_all(self) -> None:
        """End every link, also one that does not tell its end."""
        self._is_over = True
        for link in [*self._dialled, *(it.link for it in self.open)]:
            link.abort()
        for end in self.open:
            end.wake()


@asynccontextmanager
async def listening(
    cell: Cell, *, admission: Admission | None = None
) -> AsyncIterator[Listening]:
    """A listener in a cell; all links end with the block, and then it does."""
    address = parse_address(cell.listens)
    settings = LinkSettings(
        frame_bytes=FRAME_BYTES,
        later_frame_bytes=LATER_FRAME_BYTES,
        close_s=0.5,
        admission=admission or NoLimit(),
        certificate=ServerCertificate(server_tls()) if address.is_secure else None,
    )
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        server = Listening(cell, tasks)
        server.listener = await bare_transport(address.scheme).listen(
            address, server.serve_link, settings, server.spawn
        )
        try:
            yield server
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            failure = error
        await server.listener.stop_accepting()
        server.cut_all()
        async with asyncio.timeout(WITHIN_S):
            await server.listener.wait_finished()
        left = await server.end_spawned()
    if failure is not None:
        raise failure
    assert not left, f"what was spawned has not returned: {left}"


@asynccontextmanager
async def linking(cell: Cell) -> AsyncIterator[tuple[End, End]]:
    """Both ends of a link in a cell, the server's first."""
    async with listening(cell) as server:
        yield await server.connect()


def bare_transport(scheme: str) -> Transport:
    """The transport of a scheme; what splits frames of events cannot split these."""
    found = transport_for(scheme)
    return found.found() if isinstance(found, SplittingTransport) else found


async def is_refused(server: Listening) -> bool:
    """Whether nobody gets in; a peer may see that only as it begins to talk."""
    with suppress(CannotConnect, LinkClosed):
        end = await server.dial()
        await end.ended()
    return True
