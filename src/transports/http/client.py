"""Connecting over HTTP: one connection for events, one for frames."""

import asyncio
import ssl
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import h11
import msgspec

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings, authority
from transports.certificates import context_to_dial
from transports.codec import Codec
from transports.errors import (
    BadUrl,
    CannotConnect,
    LinkClosed,
    frame_too_large,
    reason_of,
)
from transports.framing import FrameTooLarge
from transports.http.client_connection import ClientConnection, values_of
from transports.http.event_reader import EventReader
from transports.http.negotiation import (
    CLOSE_EVENT,
    EVENTS,
    FRAMES,
    HTTP,
    LINK_HEADER,
    LINKS,
    PATH,
    PROTOCOL,
    PROTOCOL_HEADER,
    Ending,
    LinkOpened,
)
from transports.message_link import MessageLink
from transports.port_probe import find_fault

_OK: Final = range(200, 300)


class _NotOurs(Exception):
    """An answer that is none of a chat server's."""


class HttpClientLink(MessageLink):
    """See ``transports.base.Link``; its events are being read.

    Args:
        address: what was dialled.
        settings: of who dials.
        tls: for more connections.
        secret: the link's.
        events: the connection on which they come.
    """

    def __init__(
        self,
        address: Address,
        settings: LinkSettings,
        tls: ssl.SSLContext | None,
        secret: str,
        events: ClientConnection,
    ) -> None:
        peer = authority(address.host, address.port)
        super().__init__(settings, peer=peer, address=address.host)
        self._dialled = address
        self._settings = settings
        self._tls = tls
        self._secret = (LINK_HEADER, secret)
        self._events = events
        self._posting: ClientConnection | None = None
        self._has_failed = False
        self._reading = self._loop.create_task(self._read_events())

    # ---- events

    async def _read_events(self) -> None:
        events = EventReader(self.largest_bytes)
        try:
            while True:
                await self.room()
                received = await self._events.read()
                if not received:
                    break
                self.heard()
                events.allow(self.largest_bytes)
                for name, said in events.feed(received):
                    await self._take(name, said)
                self.note_partial(events.held_bytes)
        except LinkClosed:
            return  # whoever ended it knows why
        except FrameTooLarge:
            self.end(frame_too_large(self.largest_bytes))
            return
        except (OSError, h11.RemoteProtocolError):
            pass
        self.abort()

    async def _take(self, name: bytes, said: bytes) -> None:
        if name == CLOSE_EVENT:
            self.end(_ending(said).closed)
        elif not name:
            await self.room()
            self.receive(said)

    # ---- transports.message_link.MessageLink

    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """See ``MessageLink``: one request, answered when there is room for more."""
        if self._has_failed:
            return  # what follows something that is lost is lost too
        try:
            status = await self._ask("POST", FRAMES, b"\n".join(messages) + b"\n")
        except (OSError, h11.ProtocolError):
            status = 0
        self.heard()
        if status not in _OK:
            self._has_failed = True
            # The last event says why, and may be on its way.
            self._loop.call_later(self._settings.close_s, self.abort)

    async def finish(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # a client has no reason to give
        """See ``MessageLink``: it gets what it is owed until then."""
        try:
            await self._ask("DELETE", LINKS)
        except (OSError, h11.ProtocolError):
            return
        await asyncio.wait([self._reading])

    async def _ask(self, method: str, path: str, body: bytes = b"") -> int:
        """Make a request about this link; the status of its answer."""
        posting = self._posting
        if posting is None or not posting.is_usable:
            if posting is not None:
                posting.abort()
            posting = await ClientConnection.open(self._dialled, self._tls)
            self._posting = posting
        target = mount_of(self._dialled) + path
        response = await posting.ask(method, target, self._secret, body=body)
        await posting.read_all()
        return response.status_code

    def cut(self) -> None:
        """See ``MessageLink``."""
        self._events.abort()
        if self._posting is not None:
            self._posting.abort()


async def dial(
    address: Address, codec: Codec, settings: LinkSettings
) -> HttpClientLink:
    """See ``transports.base.Transport``."""
    if codec.name != "json":
        raise BadUrl(address.text, f"it carries json, not {codec.name}")
    tls = context_to_dial(address, settings, HTTP) if address.is_secure else None
    try:
        async with asyncio.timeout(settings.handshake_s):
            connection = await ClientConnection.open(address, tls)
            try:
                secret = await _open_link(connection, address)
            except BaseException:
                connection.abort()
                raise
    except (ssl.SSLError, ConnectionResetError) as error:
        found = await find_fault(address, settings)
        raise found or CannotConnect(address.text, reason_of(error)) from error
    except OSError as error:
        raise CannotConnect(address.text, reason_of(error)) from error
    except (h11.RemoteProtocolError, _NotOurs) as error:
        found = await find_fault(address, settings)
        reason = "what answers there is no chat server"
        raise found or CannotConnect(address.text, reason) from error
    return HttpClientLink(address, settings, tls, secret, connection)


async def _open_link(connection: ClientConnection, address: Address) -> str:
    """Open a link, and ask for its events; the link's secret."""
    mount = mount_of(address)
    offer = (PROTOCOL_HEADER, PROTOCOL)
    response = await connection.ask("POST", mount + LINKS, offer)
    if not values_of(response, PROTOCOL_HEADER.encode()):
        raise _NotOurs
    body = await connection.read_all()
    if response.status_code != HTTPStatus.CREATED:
        raise _refused(address, body)
    try:
        secret = msgspec.json.decode(body, type=LinkOpened).link
    except msgspec.DecodeError as error:
        raise _NotOurs from error
    if not connection.is_usable:
        raise ConnectionResetError
    response = await connection.ask("GET", mount + EVENTS, (LINK_HEADER, secret))
    if response.status_code != HTTPStatus.OK:
        raise _refused(address, await connection.read_all())
    return secret


def mount_of(address: Address) -> str:
    """Where the chat is at a server: our own has it at ``/chat``."""
    return address.path.rstrip("/") or PATH


def _refused(address: Address, body: bytes) -> LinkClosed | CannotConnect:
    """What a refusal is to who dials."""
    ending = _ending(body)
    if ending.code in set(CloseCode):
        return ending.closed
    return CannotConnect(address.text, ending.text.rstrip("."))


def _ending(said: bytes) -> Ending:
    try:
        return msgspec.json.decode(said, type=Ending)
    except msgspec.DecodeError:
        return Ending(CloseCode.LINK_LOST, CloseCode.LINK_LOST.text)
