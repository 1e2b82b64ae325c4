"""Listening for gRPC."""

import asyncio
from contextlib import suppress
from typing import Final

from grpc.aio import Server, server

from transports.base import Address, LinkSettings, ServeLink, Spawn, authority
from transports.errors import BadUrl, CannotListen
from transports.grpc.credentials import credentials_for
from transports.grpc.options import server_options
from transports.grpc.other_services import HealthAndReflection, UnsupportedVersions
from transports.grpc.requests import Requests
from transports.grpc.service import ChatService

_CALLS_END_S: Final = 3.0
"""A call whose peer does not take its answer stays with it."""
_OTHERS_END_S: Final = 0.2
"""Whoever watches the server's health would do so for ever."""


class GrpcListener:
    """See ``transports.base.Listener``."""

    def __init__(
        self,
        listening: Server,
        service: ChatService,
        others: HealthAndReflection,
        url: str,
    ) -> None:
        self._server = listening
        self._service = service
        self._others = others
        self.url = url

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``.

        The port stays open: grpcio's ``stop`` would refuse what its sessions still ask
        for, and leave a call that comes at that moment without any answer.
        """
        self._service.stop_accepting()
        await self._others.stop()

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``; calls that are no chat end after it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CALLS_END_S):
                await self._service.idle()
        await self._server.stop(_OTHERS_END_S)


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> GrpcListener:
    """See ``transports.base.Transport``.

    An option of the URL: ``reflection`` (``on``, or ``off``).
    """
    credentials = credentials_for(address, settings)
    reflects = _reflects(address)
    listening = server(options=server_options(settings), compression=None)
    requests = Requests(spawn, within_s=settings.handshake_s)
    service = ChatService(serve_link, spawn, requests, settings)
    others = HealthAndReflection(requests, settings)
    listening.add_generic_rpc_handlers(
        (service.handlers(), UnsupportedVersions(), *others.handlers(reflects=reflects))
    )
    await others.begin()
    host = address.host or "127.0.0.1"
    target = authority(host, address.port)
    try:
        if credentials is None:
            port = listening.add_insecure_port(target)
        else:
            port = listening.add_secure_port(target, credentials)
    except RuntimeError as error:
        await listening.stop(None)
        raise CannotListen(address.text, "the address cannot be had") from error
    await listening.start()
    return GrpcListener(
        listening,
        service,
        others,
        f"{address.scheme}://{authority(host, port)}",
    )


def _reflects(address: Address) -> bool:
    chosen = address.options.get("reflection", "on")
    if chosen not in {"on", "off"}:
        raise BadUrl(address.text, f"reflection is on or off, not {chosen!r}")
    return chosen == "on"
