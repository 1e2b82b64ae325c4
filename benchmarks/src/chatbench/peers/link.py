"""A connection to another's server as a protocol of callbacks: what all of them share.

Its end is told once: before it is open by ``opened``, afterwards to ``on_fault``, and
not at all where we closed it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar, cast
from urllib.parse import urlsplit

from chatbench.wire.base import Arrival, OnArrival, OnFault
from chatbench.wire.connection import CannotOpen
from transports.errors import reason_of

LinkT = TypeVar("LinkT", bound="PeerLink")


class PeerLink(asyncio.Protocol, ABC):
    """See ``chatbench.wire.base.Session``.

    A position counts what was delivered to the session, from 1.

    Attributes:
        waiting: 0, since none of these protocols tells what is queued.
        opened: done once it is logged in.
    """

    waiting: int = 0

    def __init__(self, username: str, on_arrival: OnArrival, on_fault: OnFault) -> None:
        self.frames_out = 0
        self.frames_in = 0
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._username = username
        self._on_arrival = on_arrival
        self._on_fault = on_fault
        self._is_closed = False
        self._position = 0
        self._transport: asyncio.Transport | None = None

    @abstractmethod
    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``chatbench.wire.base.Session``."""

    @abstractmethod
    def acknowledge(self, position: int) -> None:
        """See ``chatbench.wire.base.Session``."""

    def close(self) -> None:
        """See ``chatbench.wire.base.Session``."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell an end that we did not make."""
        reason = f" ({exc})" if exc is not None else ""
        self.fail(f"The link was lost{reason}.")

    def fail(self, sentence: str) -> None:
        """End it for this reason, which is told where none was before."""
        if self._is_closed:
            return
        self.close()
        if self.opened.done():
            self._on_fault(sentence)
        else:
            self.opened.set_exception(CannotOpen(sentence))

    def write(self, data: bytes, *, frames: int) -> None:
        """Write so many frames, unless it has ended."""
        if self._transport is not None and not self._is_closed:
            self.frames_out += frames
            self._transport.write(data)

    def tell(self, receipts: int, bodies: Sequence[str]) -> None:
        """Tell what a read brought, if it brought anything."""
        if receipts or bodies:
            self._position += len(bodies)
            position = self._position if bodies else 0
            self._on_arrival(Arrival(receipts, bodies, position))

    def is_open(self) -> None:
        """Say that it is logged in."""
        if not self.opened.done():
            self.opened.set_result(None)


async def opened(link: LinkT, url: str, within_s: float) -> LinkT:
    """The link, once it is connected to this URL and logged in.

    Raises:
        CannotOpen: the server is not there, refused it, or takes longer.
    """
    address = urlsplit(url)
    try:
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().create_connection(
                lambda: link, address.hostname or "", address.port or 0
            )
            await link.opened
    except TimeoutError as late:
        link.close()
        reason = f"It was not logged in at {url} after {within_s:g} s."
        raise CannotOpen(reason) from late
    except OSError as error:
        raise CannotOpen(f"Nobody answers at {url}: {reason_of(error)}.") from error
    except BaseException:
        link.close()
        raise
    return link
