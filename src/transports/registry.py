"""Which transport a URL scheme stands for: ours, and those that others register.

What those raise that no transport should is told in one line that names them.
"""

import logging
from collections.abc import Mapping
from typing import Final, Protocol

from chatcore.errors import ChatError
from chatsystem.schemes import BadPlugin, SchemeRegistry
from transports.base import (
    Address,
    Link,
    LinkSettings,
    Listener,
    ServeLink,
    Spawn,
    Transport,
)
from transports.codec import CODECS, Codec
from transports.codec import codec as codec_of
from transports.errors import BadUrl, CannotConnect, CannotListen, reason_of

_log = logging.getLogger(__name__)

SCHEMES: Final[Mapping[str, str]] = {
    "tcp": "tcp",
    "websocket": "ws",
    "grpc": "grpc",
    "http": "http",
}
"""The schemes of URLs by the names that people know our transports by, in the order in
which they are shown.
"""

# A transport is a module, or any object, with ``listen``, ``dial`` and ``codecs``.
TRANSPORTS: Final = SchemeRegistry[Transport](
    "chatcore.transports",
    {
        "grpc": "transports.grpc",
        "grpcs": "transports.grpc",
        "http": "transports.http",
        "https": "transports.http",
        "loopback": "transports.loopback",
        "tcp": "transports.tcp",
        "tcps": "transports.tcp",
        "ws": "transports.websocket",
        "wss": "transports.websocket",
    },
)
"""The process's own table, like the system's table of ports."""


def register_transport(scheme: str, transport: Transport) -> None:
    """Let ``scheme://`` URLs use a transport, in this process.

    An installed package does the same with an entry point of the group
    ``chatcore.transports``, named by the scheme, that loads such a transport.

    Raises:
        BadPlugin: it lacks what a transport has; the error says what.
    """
    _check(transport)
    TRANSPORTS.register(scheme, transport)


def transport_for(scheme: str) -> Transport:
    """The transport of a scheme, imported when it is first asked for.

    Raises:
        BadUrl: nobody serves this scheme, and the error names those that are served; or
            what an installed package has for it is no transport.
    """
    try:
        transport = TRANSPORTS.find(scheme)
        if transport is None:
            known = ", ".join(TRANSPORTS.schemes())
            raise BadUrl(f"{scheme}:", f"known schemes are {known}")
        if scheme not in TRANSPORTS.built_in:
            _check(transport)
    except BadPlugin as error:
        raise BadUrl(f"{scheme}:", str(error).rstrip(".")) from error
    return transport


def _check(transport: Transport) -> None:
    """Raise ``BadPlugin`` for what is no transport."""
    lacking = [it for it in ("listen", "dial") if not callable(_get(transport, it))]
    codecs = _get(transport, "codecs")
    names = list(codecs) if isinstance(codecs, list | tuple) else []
    if not names:
        lacking.append("codecs")
    if lacking:
        reason = f"a transport has listen, dial and codecs, and it has no {lacking[0]}"
        raise BadPlugin(_name(transport), reason)
    for codec in names:
        if codec not in CODECS:
            reason = f"its codecs are among {', '.join(CODECS)}, not {codec!r}"
            raise BadPlugin(_name(transport), reason)


def _get(transport: Transport, name: str) -> object:
    return getattr(transport, name, None)


def _name(transport: object) -> str:
    """What a person finds a transport by: a module, or the class of an object."""
    kind = transport if hasattr(transport, "__name__") else type(transport)
    module = getattr(kind, "__module__", "")
    name = getattr(kind, "__qualname__", getattr(kind, "__name__", ""))
    return f"{module}.{name}" if module else name


def codec_on(address: Address, asked: str | None) -> Codec:
    """The codec of frames on this URL: what is asked for, or what its transport carries
    best.

    Raises:
        BadUrl: nobody serves the scheme, or its transport does not carry the codec.
        UnknownCodec: there is none of this name.
    """
    carried = transport_for(address.scheme).codecs
    if asked is None:
        return codec_of(carried[0])
    found = codec_of(asked)
    if asked not in carried:
        raise BadUrl(address.text, f"it carries {', '.join(carried)}, not {asked}")
    return found


async def listen_on(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> Listener:
    """Have the transport of a URL listen; see ``transports.base.Transport``.

    Raises:
        BadUrl: no transport serves it.
        CannotListen: the machine does not give it, or the transport has a fault.
    """
    transport = transport_for(address.scheme)
    try:
        return await transport.listen(address, serve_link, settings, spawn)
    except ChatError:
        raise
    except Exception as error:
        raise _told(error, address, transport, CannotListen) from error


async def dial(address: Address, codec: Codec, settings: LinkSettings) -> Link:
    """Have the transport of a URL connect; see ``transports.base.Transport``.

    Raises:
        BadUrl: no transport serves it.
        CannotConnect: nobody is there, or the transport has a fault.
        LinkClosed: the server has refused.
    """
    transport = transport_for(address.scheme)
    try:
        return await transport.dial(address, codec, settings)
    except ChatError:
        raise
    except Exception as error:
        raise _told(error, address, transport, CannotConnect) from error


class _Telling(Protocol):
    def __call__(self, url: str, reason: str) -> ChatError: ...


def _told(
    error: Exception, address: Address, transport: Transport, kind: _Telling
) -> ChatError:
    """What a transport's error is to whoever asked it."""
    if isinstance(error, OSError):
        return kind(address.text, reason_of(error))
    name = _name(transport)
    _log.debug("A fault of %s", name, exc_info=error)
    return kind(address.text, f"{name} failed with {error!r}")
