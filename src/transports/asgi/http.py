"""Requests that an ASGI server has read: the chat over HTTP, below its mount (W3)."""

import asyncio
from functools import partial
from http import HTTPStatus

from chatcore.errors import CloseCode
from transports.asgi.messages import (
    Receive,
    Scope,
    Send,
    headers_in,
    path_at_chat,
    peer_of,
)
from transports.http.endpoints import HttpEndpoints
from transports.http_messages import HttpRequest, HttpResponse, ResponseStream
from transports.origins import AllowedOrigins
from transports.server import Server


class AsgiBody:
    """See ``transports.http_messages.RequestBody``."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_whole = False

    async def read(self) -> bytes:
        """See ``RequestBody``."""
        while not self._is_whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            self._is_whole = not message.get("more_body", False)
            if piece := message.get("body", b""):
                return bytes(piece)
        return b""

    async def until_gone(self) -> None:
        """Return once the peer has gone; what it still says is thrown away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class HttpEndpoint:
    """Answers the requests for one server.

    Args:
        server: whose links they are about.
        origins: pages of which may ask.
    """

    def __init__(self, server: Server, origins: AllowedOrigins) -> None:
        self._server = server
        self._endpoints = HttpEndpoints(
            partial(server.accept, transport="http"),
            server.settings,
            server.spawn,
            origins,
        )

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._server.is_stopping:
            self._endpoints.stop_accepting()
        body = AsgiBody(receive)
        request = _request(scope, body)
        link = self._endpoints.link_of(request)
        try:
            response = await self._endpoints.handle(request)
        except ConnectionError:
            return  # there is nobody to be answered
        stream = response.body
        if isinstance(stream, bytes):
            await _begin(send, response, len(stream))
            await send({"type": "http.response.body", "body": stream})
            return
        loop = asyncio.get_running_loop()
        writing = loop.create_task(_write(response, stream, send))
        try:
            await self._watch(stream, body, writing)
        except asyncio.CancelledError:
            # By the ASGI server, which waits no longer for the link's end.
            if link is not None:
                code = CloseCode.SHUTTING_DOWN
                await link.close(code, code.text)
            raise
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await stream.aclose()

    async def _watch(
        self, stream: ResponseStream, body: AsgiBody, writing: "asyncio.Task[None]"
    ) -> None:
        """Return once all is written, the peer has gone, or the rest was cut."""
        loop = asyncio.get_running_loop()
        cut = asyncio.Event()
        stream.on_cut = cut.set
        ends = [loop.create_task(body.until_gone()), loop.create_task(cut.wait())]
        try:
            await asyncio.wait([writing, *ends], return_when=asyncio.FIRST_COMPLETED)
            if cut.is_set():
                # What was cut is said to be over, if the peer takes even that.
                await asyncio.wait([writing], timeout=self._server.settings.close_s)
        finally:
            for end in ends:
                end.cancel()


def _request(scope: Scope, body: AsgiBody) -> HttpRequest:
    """A request as the chat's endpoints take it."""
    address, peer = peer_of(scope)
    return HttpRequest(
        method=scope["method"],
        path=path_at_chat(scope),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers_in(scope),
        body=body,
        address=address,
        peer=peer,
    )


async def _write(response: HttpResponse, stream: ResponseStream, send: Send) -> None:
    await _begin(send, response, None)
    try:
        async for piece in stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except ConnectionError:
        pass  # it was cut
    await send({"type": "http.response.body", "body": b""})


async def _begin(send: Send, response: HttpResponse, body_bytes: int | None) -> None:
    """Write the head of a response; of None bytes nobody knows the end."""
    named = [*response.headers, ("Cache-Control", "no-store")]
    if response.content_type:
        named.append(("Content-Type", response.content_type))
    if body_bytes is not None and response.status is not HTTPStatus.NO_CONTENT:
        named.append(("Content-Length", str(body_bytes)))
    headers = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in named
    ]
    start = {"type": "http.response.start", "status": int(response.status)}
    await send({**start, "headers": headers})
