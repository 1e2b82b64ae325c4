"""A transport with no chat behind it: each frame goes back as it came.

What this costs, the transport and its framing cost; no codec reads the frames. The
server never speaks first: there is nothing that it has to say.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Final

from transports.base import Link, LinkSettings, parse_address
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.registry import transport_for

_log = logging.getLogger(__name__)
_FRAME_BYTES: Final = 1 << 20


@asynccontextmanager
async def echoing(url: str) -> AsyncIterator[str]:
    """Echo on this URL while the block runs; yields it with its real port.

    Leaving the block ends all links at once.

    Raises:
        BadUrl: a URL that no transport serves.
        CannotListen: an address that the machine does not give.
    """
    address = parse_address(url)
    transport = transport_for(address.scheme)
    async with asyncio.TaskGroup() as tasks:
        echo = _Echo(tasks)
        settings = LinkSettings(frame_bytes=_FRAME_BYTES)
        listener = await transport.listen(address, echo.serve, settings, echo.spawn)
        try:
            yield listener.url
        finally:
            await listener.stop_accepting()
            echo.end()
            await listener.wait_finished()


class _Echo:
    """The links of one server."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._links: set[Link] = set()

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """See ``transports.base.Spawn``."""
        self._tasks.create_task(self._guard(work))

    async def _guard(self, work: Coroutine[object, None, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001  # a fault of ours ends one link, not all
            _log.exception("A link ended by a fault of the server")

    async def serve(self, link: Link, _codec: Codec) -> None:
        """Send back what arrives, all of it at once, until the link ends."""
        self._links.add(link)
        try:
            await _Echoed(link).ended
        finally:
            self._links.discard(link)
            link.abort()

    def end(self) -> None:
        """End every link."""
        for link in list(self._links):
            link.abort()


class _Echoed:
    """One link; ``ended`` is done when it has gone."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        link.start(self)

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        self._link.write(frames)
        if self._link.is_clogged:
            self._link.hold_reading(on=True)

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self._link.hold_reading(on=False)

    def reading_ended(self, _end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        if not self.ended.done():
            self.ended.set_result(None)
