"""What a port speaks that did not greet as it was asked to, for an error that helps.

A second connection asks for a page in HTTP/1.1, to which each of our servers says what
it is: a WebSocket's wants an upgrade (RFC 9110, 15.5.22), HTTP's names its protocol in
a header of its own, gRPC's has sent the SETTINGS of HTTP/2 by then (RFC 9113, 3.4), and
raw TCP's answers with its error line (W2).
"""

import asyncio
import ssl
from typing import Final

from transports.base import Address, LinkSettings, authority
from transports.certificates import context_to_dial
from transports.errors import CannotConnect, WrongTransport, reason_of
from transports.tls import SECURE_SCHEMES

_TIMEOUT_S: Final = 1.0
_ENOUGH_BYTES: Final = 16
_END_OF_HEAD: Final = b"\r\n\r\n"
_OUR_HEADER: Final = b"\nchat-protocol:"
_FRAME_HEADER_BYTES: Final = 9
_SETTINGS_TYPE: Final = 4
_PROTOCOLS: Final = ["http/1.1", "h2"]
"""For TLS: gRPC ends a handshake without its protocol."""
_NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
)
"""What OpenSSL says of a peer that answers something else."""


async def find_fault(address: Address, settings: LinkSettings) -> CannotConnect | None:
    """Ask the port what it speaks, and whether it does TLS; None where that is not to
    be had within two seconds, or is what was expected of it.
    """
    tls: ssl.SSLContext | None = None
    if address.is_secure:
        tls = context_to_dial(address, settings, *_PROTOCOLS)
    spoken = ""
    try:
        first = await _first_bytes(address, tls)
        if tls is not None and not first:
            return CannotConnect(address.text, _hung_up(settings))
        spoken = recognise(first)
    except ssl.SSLError as error:
        if error.reason not in _NO_TLS:
            return CannotConnect(address.text, reason_of(error))
    except (OSError, TimeoutError):
        pass  # why the caller could not connect is the better error
    if tls is not None and spoken:
        spoken = SECURE_SCHEMES.get(spoken, spoken)
    if not spoken:
        spoken = await _ask_otherwise(address)
    if not spoken or spoken == address.scheme:
        return None
    return WrongTransport(address.text, spoken)


def _hung_up(settings: LinkSettings) -> str:
    """Why a server ends a connection after TLS's handshake; gRPC's does not say."""
    shown = "does not accept this" if settings.client_tls.certificate else "wants a"
    return (
        "it ends the connection after TLS's handshake; perhaps it "
        f"{shown} client's certificate"
    )


async def _ask_otherwise(address: Address) -> str:
    """What the port speaks without TLS, where it was asked with it, and with it, where
    it was asked without; empty where nothing is found.
    """
    tls: ssl.SSLContext | None = None
    if not address.is_secure:
        # Nothing is told to it, and nothing it says is believed.
        tls = ssl.create_default_context()
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
        tls.set_alpn_protocols(_PROTOCOLS)
    try:
        spoken = recognise(await _first_bytes(address, tls))
    except ssl.SSLError as error:
        return "" if error.reason in _NO_TLS else "tls"
    except (OSError, TimeoutError):
        return ""
    return spoken if tls is None else SECURE_SCHEMES.get(spoken, "tls")


def recognise(first: bytes) -> str:
    """What begins with these bytes, of HTTP with a whole head: the URL scheme ``tcp``,
    ``ws``, ``grpc`` or ``http``, or ``web`` for a server of something else; empty where
    none of them does.
    """
    if first.startswith(b"CHAT/"):
        return "tcp"
    if first.startswith(b"HTTP/"):
        if _OUR_HEADER in first.lower():
            return "http"
        return "ws" if first.split()[1:2] == [b"426"] else "web"
    is_whole = len(first) >= _FRAME_HEADER_BYTES
    # The first frame has type 4, no flags, and is about the whole connection.
    if is_whole and first[3:_FRAME_HEADER_BYTES] == bytes([_SETTINGS_TYPE, *[0] * 5]):
        return "grpc"
    return ""


async def _first_bytes(address: Address, tls: ssl.SSLContext | None) -> bytes:
    async with asyncio.timeout(_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=tls
        )
        try:
            host = authority(address.host, address.port)
            writer.write(f"GET /chat HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            first = await reader.readexactly(_ENOUGH_BYTES)
            if first.startswith(b"HTTP/"):
                first += await _rest_of_head(reader)
            return first  # noqa: TRY300  # what is raised is of all lines above
        except asyncio.IncompleteReadError as ended:
            return ended.partial
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()


async def _rest_of_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(_END_OF_HEAD)
    except asyncio.IncompleteReadError as ended:
        return ended.partial
    except asyncio.LimitOverrunError:
        return b""  # of none of ours
