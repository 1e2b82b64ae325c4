"""Listening for gRPC, with reflection and the standard health service."""

import asyncio
from typing import Final

from grpc.aio import Server, server
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from transports.base import (
    Address,
    CannotListen,
    LinkSettings,
    ServeLink,
    Spawn,
    authority,
)
from transports.grpc.options import SERVICE, channel_options
from transports.grpc.service import ChatService
from transports.grpc.versions import OtherVersions

_LINKS_END_S: Final = 5.0
_OTHERS_END_S: Final = 0.2
"""Whoever watches the server's health would do so for ever."""


class GrpcListener:
    """See ``transports.base.Listener``."""

    def __init__(
        self,
        listening: Server,
        service: ChatService,
        checks: health.aio.HealthServicer,
        url: str,
        spawn: Spawn,
    ) -> None:
        self._server = listening
        self._service = service
        self._checks = checks
        self._spawn = spawn
        self.url = url

    async def close(self) -> None:
        """See ``transports.base.Listener``; calls that run may still end."""
        await self._checks.enter_graceful_shutdown()
        self._spawn(self._stop())

    async def _stop(self) -> None:
        """Take no call any more, and end those that are no chat after the chat's."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._server.stop(_LINKS_END_S))
            await self._service.idle()
            tasks.create_task(self._server.stop(_OTHERS_END_S))


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> GrpcListener:
    """See ``transports.base.Transport``."""
    listening = server(options=channel_options(settings), compression=None)
    service = ChatService(serve_link, spawn, settings.frame_bytes)
    listening.add_generic_rpc_handlers((service.handlers(), OtherVersions()))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, listening)
    for name in ("", SERVICE):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection(
        (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), listening
    )
    host = address.host or "127.0.0.1"
    try:
        port = listening.add_insecure_port(authority(host, address.port))
    except RuntimeError as error:
        raise CannotListen(address.text, "the address cannot be had") from error
    await listening.start()
    return GrpcListener(
        listening,
        service,
        checks,
        f"{address.scheme}://{authority(host, port)}",
        spawn,
    )
