"""WebSockets that an ASGI server has shaken hands for (W1, W3)."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import Final, NamedTuple

from chatcore.errors import CloseCode
from transports.asgi.link import AsgiLink
from transports.asgi.messages import (
    Receive,
    Scope,
    Send,
    header_values,
    headers_in,
    offered_subprotocols,
    peer_of,
    respond,
)
from transports.codec import codec
from transports.connection_names import name_connection
from transports.entry import Entry
from transports.origins import REFUSED_PAGE, AllowedOrigins
from transports.rate_limited_log import RateLimitedLog
from transports.request_headers import kept_headers
from transports.server import Server
from transports.subprotocols import KNOWN, SPOKEN, choose, clip_reason, codec_name

_log = logging.getLogger(__name__)

_AS_HTTP: Final = "websocket.http.response"


class UpgradeRefused(NamedTuple):
    """Why there is to be no WebSocket."""

    status: HTTPStatus
    text: str


class WebSocketEndpoint:
    """Accepts WebSockets for a chat.

    Args:
        origins: pages that may connect.
    """

    def __init__(self, origins: AllowedOrigins) -> None:
        self._origins = origins
        self._lingering: set[asyncio.Task[None]] = set()
        self._log = RateLimitedLog(_log)

    def stop(self) -> None:
        """Wait no more for peers that take nothing; see ``AsgiLink.lingers``."""
        for reading in self._lingering:
            reading.cancel()

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, server: Server
    ) -> None:
        """Serve one WebSocket, which wants to connect, to its end."""
        name_connection()
        settings = server.settings
        forwarded = header_values(scope, "x-forwarded-for")
        address, peer = settings.proxies.seen_as(*peer_of(scope), forwarded)
        entry = Entry(settings.admission)
        with ExitStack() as place:
            entry.take(address)
            place.callback(entry.leave)
            refused = self._judge(scope, entry, peer)
            if refused is not None:
                await refuse(scope, send, refused)
                return
            subprotocol = choose(offered_subprotocols(scope))
            if subprotocol not in KNOWN:
                text = f"This server speaks {SPOKEN}."
                await accept_to_close(scope, send, CloseCode.WRONG_VERSION, text)
                return
            await send({"type": "websocket.accept", "subprotocol": subprotocol})
            spoken = codec(codec_name(subprotocol))
            link = AsgiLink(settings, spoken, send, peer=peer, address=address)
            link.headers = kept_headers(settings, headers_in(scope))
            reading = asyncio.get_running_loop().create_task(link.read(receive))
            scheme = scope.get("scheme", "ws")
            _ = server.accept(link, spoken, transport=scheme, is_watched=True)
            try:
                await link.gone.wait()
            except asyncio.CancelledError:
                # By the ASGI server, which waits no longer for the link's end.
                code = CloseCode.SHUTTING_DOWN
                await link.close(code, code.text)
                raise
            finally:
                if link.lingers:
                    self._linger(reading, place.pop_all())
                else:
                    reading.cancel()

    def _judge(self, scope: Scope, entry: Entry, peer: str) -> UpgradeRefused | None:
        """A refusal, before the handshake, which is logged; None to go on."""
        if not entry.is_open:
            text = CloseCode.TOO_MANY_CONNECTIONS.text
            self._log.info("Refused %s: %s", peer, text)
            return UpgradeRefused(HTTPStatus.SERVICE_UNAVAILABLE, text)
        origin = self._origins.find_refused(
            header_values(scope, "origin"), header_values(scope, "host")
        )
        if origin is not None:
            self._log.info(REFUSED_PAGE, origin, peer)
            text = self._origins.refusal(origin)
            return UpgradeRefused(HTTPStatus.FORBIDDEN, text)
        if choose(offered_subprotocols(scope)) is None:
            text = f"Offer one of the subprotocols {SPOKEN}."
            self._log.info("Refused %s: %s", peer, text)
            return UpgradeRefused(HTTPStatus.BAD_REQUEST, text)
        return None

    def _linger(self, reading: "asyncio.Task[None]", place: ExitStack) -> None:
        """Keep the place of a peer until its connection has ended (B3)."""

        def leave(_: object) -> None:
            self._lingering.discard(reading)
            place.close()

        self._lingering.add(reading)
        reading.add_done_callback(leave)


async def accept_to_close(
    scope: Scope, send: Send, code: CloseCode, text: str = ""
) -> None:
    """Accept a WebSocket in order to close it: a page can read that, and no failed
    handshake.
    """
    offered = choose(offered_subprotocols(scope))
    await send({"type": "websocket.accept", "subprotocol": offered})
    reason = clip_reason(text or code.text)
    await send({"type": "websocket.close", "code": int(code), "reason": reason})


async def refuse(scope: Scope, send: Send, refused: UpgradeRefused) -> None:
    """Answer the handshake with a status; 403 where the server has no other."""
    extensions: Mapping[str, object] = scope.get("extensions") or {}
    if _AS_HTTP in extensions:
        await respond(send, refused.status, f"{refused.text}\n", kind=_AS_HTTP)
    else:
        reason = clip_reason(refused.text)
        await send({"type": "websocket.close", "reason": reason})
