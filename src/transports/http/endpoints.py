"""The protocol, without sockets: requests become links, and links are answered.

Any server of HTTP can stand around it: ``transports.http.server`` does, and whatever
mounts it in an application of its own. Below its mount there are

- ``POST /links``: opens a link; ``DELETE /links``, or ``POST /links/end`` with the
  link's secret as its body, ends it;
- ``GET /events``: what the server writes, as Server-Sent Events;
- ``POST /frames``: what the client writes, a frame a line;
- ``GET`` of the mount itself: which protocol is spoken.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import parse_qs

import msgspec

from chatcore.errors import CloseCode
from transports.base import LinkSettings, ServeLink, Spawn
from transports.codec import codec
from transports.connection_names import name_connection
from transports.errors import LinkClosed
from transports.fair_scheduler import PARTS_AT_ONCE, FairScheduler
from transports.http.link import HttpLink
from transports.http.negotiation import (
    ANY_VERSION,
    EVENT_STREAM,
    EVENTS,
    FRAMES,
    JSON,
    LINK_HEADER,
    LINKS,
    LINKS_END,
    ONCE,
    PROTOCOL,
    PROTOCOL_HEADER,
    Ending,
    LinkOpened,
)
from transports.http_messages import HttpRequest, HttpResponse
from transports.origins import REFUSED_PAGE, AllowedOrigins
from transports.rate_limited_log import RateLimitedLog
from transports.request_headers import kept_headers
from transports.served_link import see_served

_log = logging.getLogger(__name__)

OUR_HEADERS: Final = (
    ("Chat-Protocol", PROTOCOL),
    ("X-Content-Type-Options", "nosniff"),
)
"""Of each answer: who dials another transport's port is told by them what it speaks."""
_SECRET_BYTES: Final = 256
"""More than any secret has."""
_PREFLIGHT_S: Final = 600
_STATUS: Final = {
    CloseCode.SHUTTING_DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.TOO_MANY_CONNECTIONS: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.BROKEN_FRAME: HTTPStatus.BAD_REQUEST,
    CloseCode.WRONG_VERSION: HTTPStatus.BAD_REQUEST,
    CloseCode.FRAME_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    CloseCode.ORIGIN_REFUSED: HTTPStatus.FORBIDDEN,
}
"""With which status a close code is answered; 410 for all others: the link is gone."""


_Answer: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


class HttpEndpoints:
    """Answers the requests below one mount.

    Args:
        serve_link: see ``transports.base.ServeLink``.
        settings: of the listener. Its admission is asked for each link; whoever has
            the sockets bounds those.
        spawn: see ``transports.base.Spawn``.
        origins: pages of which may connect, and read what is answered to them.
    """

    def __init__(
        self,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
        origins: AllowedOrigins | None = None,
    ) -> None:
        self._serve_link = serve_link
        self._settings = settings
        self._spawn = spawn
        self._origins = origins or AllowedOrigins()
        self._links: dict[str, HttpLink] = {}
        self._once: dict[str, HttpLink] = {}
        self._codec = codec("json")
        self._log = RateLimitedLog(_log)
        self._newcomers = FairScheduler()
        self._intake = FairScheduler(at_once=PARTS_AT_ONCE)
        self._accepts = True
        self._answers: Mapping[str, Mapping[str, _Answer]] = {
            "": {"GET": self._tell},
            LINKS: {"POST": self._open, "DELETE": self._end},
            LINKS_END: {"POST": self._end_named},
            EVENTS: {"GET": self._stream},
            FRAMES: {"POST": self._take},
        }

    def stop_accepting(self) -> None:
        """Open no new link; what is asked for those that are open is answered. One
        whose events nobody has asked for yet ends: nobody could be told of the end.
        """
        self._accepts = False
        for link in list(self._links.values()):
            if not link.events.is_asked_for:
                link.abort()

    def link_of(self, request: HttpRequest) -> HttpLink | None:
        """The link that a request is about, by what its head has; None for none."""
        for secret in request.values(LINK_HEADER):
            return self._links.get(secret)
        return self._once.get(_once_of(request)) if request.path == EVENTS else None

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request.

        It may be cancelled; a request for frames that is cancelled ends its link.

        Raises:
            ConnectionError: the peer has gone, as ``request.body`` said.
            RequestBroken: as ``request.body`` said.
        """
        origins = request.values("origin")
        refused = self._origins.find_refused(origins, request.values("host"))
        if refused is not None:
            self._log.info(REFUSED_PAGE, refused, self._client_of(request)[1])
            text = self._origins.refusal(refused)
            response = ending(CloseCode.ORIGIN_REFUSED, text)
        else:
            response = await self._answer(request)
        headers = [*OUR_HEADERS]
        if origins:
            headers.append(("Vary", "Origin"))
            if refused is None:
                headers.append(("Access-Control-Allow-Origin", origins[0]))
        return replace(response, headers=[*response.headers, *headers])

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        answers = self._answers.get(request.path)
        if answers is None:
            return refuse(HTTPStatus.NOT_FOUND, "There is nothing at this path.")
        allowed = ", ".join(answers)
        if request.method == "OPTIONS":
            return _preflight(allowed)
        answer = answers.get(request.method)
        if answer is None:
            text = f"This path takes {allowed}."
            return refuse(HTTPStatus.METHOD_NOT_ALLOWED, text, ("Allow", allowed))
        return await answer(request)

    async def _tell(self, _: HttpRequest) -> HttpResponse:
        return _json(HTTPStatus.OK, {"protocols": [PROTOCOL]})

    async def _open(self, request: HttpRequest) -> HttpResponse:
        """Open a link, if its version is spoken and there is room for it."""
        offered = request.values(PROTOCOL_HEADER)
        if offered != [PROTOCOL]:
            text = f"This server speaks {PROTOCOL}."
            if any(it.startswith(ANY_VERSION) for it in offered):
                return ending(CloseCode.WRONG_VERSION, text)
            return refuse(HTTPStatus.BAD_REQUEST, f"{text} Name it in Chat-Protocol.")
        await self._newcomers.enter()
        address, peer = self._client_of(request)
        if not self._accepts:
            return ending(CloseCode.SHUTTING_DOWN)
        if not self._settings.admission.enter(address):
            code = CloseCode.TOO_MANY_CONNECTIONS
            self._log.info("Refused %s: %s", peer, code.text)
            return ending(code)
        link = HttpLink(self._settings, peer=peer, address=address)
        link.headers = kept_headers(self._settings, request.headers)
        self._links[link.secret] = self._once[link.once] = link
        once = link.once
        link.when_gone.append(lambda: self._forget(link, once))
        name_connection()
        serving = self._serve_link(link, self._codec)
        see_served(serving, self._spawn)
        opened = LinkOpened(link.secret, once, int(self._settings.handshake_s * 1000))
        return _json(HTTPStatus.CREATED, opened)

    def _forget(self, link: HttpLink, once: str) -> None:
        del self._links[link.secret]
        self._once.pop(once, None)
        self._settings.admission.leave(link.address)

    def _client_of(self, request: HttpRequest) -> tuple[str, str]:
        """The address that a request comes from, and its name for a log."""
        forwarded = request.values("x-forwarded-for")
        return self._settings.proxies.seen_as(request.address, request.peer, forwarded)

    async def _end(self, request: HttpRequest) -> HttpResponse:
        """End a link: its client says no more."""
        link = self.link_of(request)
        if link is None:
            return _unknown(request)
        link.finish_reading()
        return _NOTHING

    async def _end_named(self, request: HttpRequest) -> HttpResponse:
        """The same for a page that is being left, whose browser sets no header."""
        link = self._links.get(await _read_text(request))
        if link is not None:
            link.finish_reading()
        return _NOTHING

    async def _stream(self, request: HttpRequest) -> HttpResponse:
        """What the server writes on a link."""
        link = self.link_of(request)
        if link is None:
            # An EventSource comes back by itself until it is answered so.
            return _NOTHING if _once_of(request) else _unknown(request)
        self._once.pop(link.once, None)
        events = link.open_events()
        if events is None:
            return refuse(
                HTTPStatus.CONFLICT, "The events of this link are being read already."
            )
        return HttpResponse(
            body=events,
            content_type=EVENT_STREAM,
            headers=[("X-Accel-Buffering", "no")],  # nginx would wait for more
        )

    async def _take(self, request: HttpRequest) -> HttpResponse:
        """Receive frames; answered when there is room for more."""
        link = self.link_of(request)
        if link is None:
            return _unknown(request)
        if link.is_posting:
            return refuse(
                HTTPStatus.CONFLICT,
                "Frames are on their way already: wait for the answer, so that they "
                "stay in order.",
            )
        link.is_posting = True
        try:
            await link.take(request.body, self._intake)
        except LinkClosed as closed:
            return ending(closed.code, closed.text)
        finally:
            link.is_posting = False
        return _NOTHING


def _once_of(request: HttpRequest) -> str:
    return next(iter(parse_qs(request.query).get(ONCE, ())), "")


async def _read_text(request: HttpRequest) -> str:
    """A short body."""
    text = b""
    while len(text) <= _SECRET_BYTES and (piece := await request.body.read()):
        text += piece
    return text[:_SECRET_BYTES].decode("ascii", "replace").strip()


def _json(status: HTTPStatus, said: object) -> HttpResponse:
    body = msgspec.json.encode(said) + b"\n"
    return HttpResponse(status=status, body=body, content_type=JSON)


_NOTHING: Final = HttpResponse(status=HTTPStatus.NO_CONTENT, content_type="")


def refuse(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> HttpResponse:
    """A refusal that is HTTP's: its code is the status."""
    return replace(_json(status, Ending(status, text)), headers=headers)


def ending(code: CloseCode, text: str = "") -> HttpResponse:
    """A refusal that is the chat's."""
    status = _STATUS.get(code, HTTPStatus.GONE)
    return _json(status, Ending(code, text or code.text))


def _unknown(request: HttpRequest) -> HttpResponse:
    if request.values(LINK_HEADER):
        return ending(CloseCode.LINK_LOST, "There is no such link any more.")
    return refuse(HTTPStatus.BAD_REQUEST, "Name the link in the header Chat-Link.")


def _preflight(methods: str) -> HttpResponse:
    """What a browser asks before a page of another origin may ask (Fetch, 4.8)."""
    return replace(
        _NOTHING,
        headers=[
            ("Access-Control-Allow-Methods", methods),
            (
                "Access-Control-Allow-Headers",
                "Chat-Link, Chat-Protocol, Content-Type",
            ),
            ("Access-Control-Max-Age", str(_PREFLIGHT_S)),
        ],
    )
