"""Connecting over WebSocket."""

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from transports.base import Address, CannotConnect, LinkSettings, reason_of
from transports.codec import Codec
from transports.websocket.link import WebSocketLink, loop_time
from transports.websocket.subprotocols import PATH, READ_AHEAD


class _LivelyConnection(ClientConnection):
    """Notes each byte that is read (S5)."""

    active_s = 0.0

    def data_received(self, data: bytes) -> None:
        self.active_s = self.loop.time()
        super().data_received(data)


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> WebSocketLink:
    """See ``transports.base.Transport``."""
    url = address.text.partition("?")[0]
    if not address.path.strip("/"):
        url = url.rstrip("/") + PATH
    try:
        connection = await connect(
            url,
            create_connection=_LivelyConnection,
            subprotocols=[Subprotocol(f"chat.v1.{codec.name}")],
            compression="deflate"
            if address.options.get("compression") == "deflate"
            else None,
            open_timeout=settings.handshake_s,
            ping_interval=settings.keepalive_s,
            ping_timeout=None,
            close_timeout=settings.close_s,
            max_size=settings.frame_bytes,
            max_queue=READ_AHEAD,
            proxy=None,
        )
    except OSError as error:
        raise CannotConnect(address.text, reason_of(error)) from error
    except (InvalidHandshake, InvalidURI) as error:
        raise CannotConnect(address.text, str(error)) from error
    assert isinstance(connection, _LivelyConnection)  # noqa: S101  # as asked for
    connection.active_s = loop_time()
    return WebSocketLink(connection, codec, connection)
