"""Connecting over WebSocket."""

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidURI

from transports.base import Address, CannotConnect, LinkSettings, reason_of
from transports.codec import Codec
from transports.port_probe import find_wrong_transport
from transports.websocket.bounded import BoundedConnection
from transports.websocket.link import WebSocketLink
from transports.websocket.negotiation import (
    PATH,
    connection_options,
    subprotocol_of,
)


class _ClientSide(BoundedConnection, ClientConnection):
    """The client's side of a bounded connection."""


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> WebSocketLink:
    """See ``transports.base.Transport``."""
    url = address.text.partition("?")[0]
    if not address.path.strip("/"):
        url = url.rstrip("/") + PATH
    try:
        connection = await connect(
            url,
            create_connection=_ClientSide,
            subprotocols=[subprotocol_of(codec.name)],
            proxy=None,
            **connection_options(address, settings),
        )
    except OSError as error:
        raise CannotConnect(address.text, reason_of(error)) from error
    except InvalidMessage as error:  # what answers there is no HTTP
        wrong = await find_wrong_transport(address)
        raise wrong or CannotConnect(address.text, str(error)) from error
    except (InvalidHandshake, InvalidURI) as error:
        raise CannotConnect(address.text, str(error)) from error
    assert isinstance(connection, _ClientSide)  # noqa: S101  # as asked for
    return WebSocketLink(connection, codec)
