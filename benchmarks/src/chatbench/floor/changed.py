"""A transport whose links and codecs are wrapped: a server with one thing different.

The transport is registered under a scheme of its own, ``floor+tcp`` for ``tcp``, so
that the product's own way of serving takes it by URL like any other. Only what it
listens for is changed; its clients see the transport's own URL.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from transports import register_transport
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
from transports.registry import transport_for

Change: TypeAlias = Callable[[Link, Codec], tuple[Link, Codec]]
"""What the session driver gets for a link that has shaken hands, and its codec."""

_PREFIX: Final = "floor+"


def changed_url(url: str, *changes: Change) -> str:
    """The URL that serves as ``url`` does, with these changes, the first innermost."""
    scheme = url.partition(":")[0]
    transport = transport_for(scheme)
    register_transport(_PREFIX + scheme, _ChangedTransport(transport, scheme, changes))
    return _PREFIX + url


class _ChangedTransport:
    """See ``transports.base.Transport``."""

    def __init__(
        self, transport: Transport, scheme: str, changes: tuple[Change, ...]
    ) -> None:
        self._transport = transport
        self._scheme = scheme
        self._changes = changes

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

        async def serve_changed(link: Link, codec: Codec) -> None:
            for change in self._changes:
                link, codec = change(link, codec)
            await serve_link(link, codec)

        own = replace(address, scheme=self._scheme)
        return await self._transport.listen(own, serve_changed, settings, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``; nothing is changed for a client."""
        own = replace(address, scheme=self._scheme)
        return await self._transport.dial(own, codec, settings)
