"""Connecting over WebSocket."""

import ssl
from typing import TypedDict

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)
from websockets.http11 import Response
from websockets.typing import Subprotocol

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings
from transports.certificates import context_to_dial
from transports.codec import Codec
from transports.errors import CannotConnect, LinkClosed, WrongTransport, reason_of
from transports.port_probe import find_fault
from transports.subprotocols import PATH, subprotocol_of
from transports.tls import SECURE_SCHEMES
from transports.websocket.bounded import BoundedConnection
from transports.websocket.link import WebSocketLink
from transports.websocket.negotiation import CODE_HEADER, HTTP, connection_options


class _Secured(TypedDict, total=False):
    """What the library is told for TLS."""

    ssl: ssl.SSLContext


class _ClientSide(BoundedConnection, ClientConnection):
    """The client's side of a bounded connection."""


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> WebSocketLink:
    """See ``transports.base.Transport``."""
    url = address.text.partition("?")[0]
    if not address.path.strip("/"):
        url = url.rstrip("/") + PATH
    secured: _Secured = {}
    if address.is_secure:
        secured["ssl"] = context_to_dial(address, settings, HTTP)
    try:
        connection = await connect(
            url,
            create_connection=_ClientSide,
            subprotocols=[Subprotocol(subprotocol_of(codec.name))],
            proxy=None,
            **secured,
            **connection_options(address, settings),
        )
    except (ssl.SSLError, ConnectionResetError) as error:
        found = await find_fault(address, settings)
        raise found or CannotConnect(address.text, reason_of(error)) from error
    except OSError as error:
        raise CannotConnect(address.text, reason_of(error)) from error
    except InvalidMessage as error:  # what answers there is no HTTP
        found = await find_fault(address, settings)
        raise found or CannotConnect(address.text, str(error)) from error
    except InvalidStatus as error:
        if "Chat-Protocol" in error.response.headers:
            raise WrongTransport(
                address.text, SECURE_SCHEMES["http"] if address.is_secure else "http"
            ) from error
        raise _refusal(error.response) or CannotConnect(
            address.text, str(error)
        ) from error
    except (InvalidHandshake, InvalidURI) as error:
        raise CannotConnect(address.text, str(error)) from error
    assert isinstance(connection, _ClientSide)  # noqa: S101  # as asked for
    return WebSocketLink(connection, codec)


def _refusal(response: Response) -> LinkClosed | None:
    """What a server of ours says that does not upgrade; None for any other."""
    for told in response.headers.get_all(CODE_HEADER):
        for code in CloseCode:
            if told == str(int(code)):
                return LinkClosed(code, code.text)
    return None
