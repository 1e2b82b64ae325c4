"""Listening for gRPC."""

import asyncio
from typing import Final

from grpc.aio import Server, server

from transports.base import Address, LinkSettings, ServeLink, Spawn, authority
from transports.errors import BadUrl, CannotListen
from transports.grpc.credentials import credentials_for
from transports.grpc.options import server_options
from transports.grpc.other_services import HealthAndReflection, UnsupportedVersions
from transports.grpc.requests import Requests
from transports.grpc.service import ChatService

_LINKS_END_S: Final = 5.0
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
        spawn: Spawn,
    ) -> None:
        self._server = listening
        self._service = service
        self._others = others
        self._spawn = spawn
        self._finished = asyncio.Event()
        self.url = url

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``; calls that run may still end."""
        await self._others.stop()
        self._spawn(self._stop())

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``."""
        await self._finished.wait()

    async def _stop(self) -> None:
        """Take no call any more, and end those that are no chat after the chat's."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._server.stop(_LINKS_END_S))
                await self._service.idle()
                tasks.create_task(self._server.stop(_OTHERS_END_S))
        finally:
            self._finished.set()


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
        spawn,
    )


def _reflects(address: Address) -> bool:
    chosen = address.options.get("reflection", "on")
    if chosen not in {"on", "off"}:
        raise BadUrl(address.text, f"reflection is on or off, not {chosen!r}")
    return chosen == "on"
