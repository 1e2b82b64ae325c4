"""Connecting over gRPC: one stream of frames on a channel of its own."""

import asyncio
import re
from typing import Final

from grpc import StatusCode
from grpc.aio import AioRpcError, StreamStreamCall, insecure_channel, secure_channel

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings, authority
from transports.codec import Codec
from transports.errors import CannotConnect
from transports.grpc.credentials import credentials_to_dial
from transports.grpc.link import ClientLink, link_closed
from transports.grpc.options import CONVERSE, client_options
from transports.port_probe import find_fault

# ``… last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to …: Connection refused (111)``.
_LAST_ERROR: Final = re.compile(r"last error: .*: ([^:]+?)(?: \(\d+\))?$")


async def dial(
    address: Address,
    codec: Codec,  # noqa: ARG001  # there is one only
    settings: LinkSettings,
) -> ClientLink:
    """See ``transports.base.Transport``; a first frame shows that a chat is there."""
    target = authority(address.host, address.port)
    credentials = credentials_to_dial(address, settings)
    options = client_options(settings)
    if credentials is None:
        channel = insecure_channel(target, options=options)
    else:
        channel = secure_channel(target, credentials, options=options)
    call: StreamStreamCall[bytes, bytes] = channel.stream_stream(CONVERSE)(None)
    try:
        async with asyncio.timeout(settings.handshake_s):
            first = await call.read()
    except TimeoutError as error:
        await channel.close(None)
        raise CannotConnect(address.text, "it does not answer") from error
    except AioRpcError as error:
        await channel.close(None)
        closed = link_closed(error)
        lost = closed.code is CloseCode.LINK_LOST
        if lost and error.code() is StatusCode.UNAVAILABLE:
            # grpcio does not say what it has read.
            found = await find_fault(address, settings)
            raise found or CannotConnect(address.text, _reason_of(error)) from error
        raise closed from error
    except BaseException:
        await channel.close(None)
        raise
    if not isinstance(first, bytes):
        await channel.close(None)
        raise CannotConnect(address.text, "it ended the call at once")
    return ClientLink(
        channel,
        call,
        first,
        host=address.host,
        peer=target,
        frame_bytes=settings.largest_frame_bytes,
    )


def _reason_of(error: AioRpcError) -> str:
    """Why a server was not reached: what the system says, without grpcio's details."""
    details = error.details() or "no answer"
    found = _LAST_ERROR.search(details)
    return found.group(1) if found else details
