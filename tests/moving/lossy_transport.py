"""A client's links that can be made deaf: what arrives by them is lost on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.moving.link_ends import TRANSPORTS
from transports import registry
from transports.base import (
    Address,
    Link,
    LinkSettings,
    Listener,
    ServeLink,
    Spawn,
    Transport,
)
from transports.codec import Codec
from transports.wrapped_link import WrappedLink


class LossControl:
    """Which URLs are deaf, and how much they have missed."""

    def __init__(self) -> None:
        self._covered: set[str] = set()
        self._missed = asyncio.Event()

    def cover(self, url: str) -> None:
        """Hand nothing over any more of what arrives from a URL."""
        self._covered.add(url)

    def are_covered(self, url: str) -> bool:
        """Whether what arrives from a URL is lost."""
        return url in self._covered

    def miss(self) -> None:
        """Take note that something was lost."""
        self._missed.set()

    async def missed(self) -> None:
        """Return once something was lost."""
        await self._missed.wait()


class LossyLink(WrappedLink):
    """See ``transports.base.Link``."""

    def __init__(self, link: Link, url: str, loss: LossControl) -> None:
        super().__init__(link)
        self._url = url
        self._loss = loss

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.FrameHandler``."""
        if self._loss.are_covered(self._url):
            self._loss.miss()
        else:
            super().frames_received(frames)


class LossyTransport:
    """A transport whose client's links can be made deaf."""

    def __init__(self, transport: Transport, loss: LossControl) -> None:
        self._transport = transport
        self._loss = loss

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
        return await self._transport.listen(address, serve_link, settings, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        link = await self._transport.dial(address, codec, settings)
        return LossyLink(link, address.text, self._loss)


def make_lossy(monkeypatch: pytest.MonkeyPatch) -> LossControl:
    """Have every client of this process dial by transports that can be deafened."""
    loss = LossControl()
    for scheme in {*TRANSPORTS.values(), *registry.TRANSPORTS.registered}:
        deafened = LossyTransport(registry.transport_for(scheme), loss)
        monkeypatch.setitem(registry.TRANSPORTS.registered, scheme, deafened)
    return loss
