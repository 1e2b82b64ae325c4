"""One connection of a server of HTTP/1.1: a request, its answer, and so on.

``h11`` reads and writes the protocol; here are the socket and its bounds. A request's
head has a bounded size, and has to be there in time; of its body a piece is read when
it is asked for, and 16 KiB ahead at the most; and what has been answered has to be
taken before the next request is looked at.
"""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final, cast

import h11

from transports.base import authority
from transports.http_body import BodyReader
from transports.http_messages import (
    HttpRequest,
    HttpResponse,
    RequestBroken,
    ResponseStream,
    headers_of,
    plain_response,
)
from transports.http_owner import READ_BYTES, HttpOwner
from transports.waiters import wake

_UNSENT_BYTES: Final = 16 * 1024
"""From so much on that its peer has not taken, nothing more is written."""
_THROWN_AWAY_BYTES: Final = 64 * 1024
_RAW_TCP: Final = b"CHAT/"
"""How a client of the chat's raw TCP begins, which then waits for an answer (W2)."""
_END_OF_HEAD: Final = b"\r\n\r\n"
_GO_ON: Final = h11.InformationalResponse(status_code=100, headers=[])


class HttpConnection(asyncio.BufferedProtocol):
    """One connection.

    Attributes:
        address: where it comes from, without a port; empty where there is none.
        peer: who that is, for a log.
    """

    def __init__(self, owner: HttpOwner) -> None:
        self._owner = owner
        self._http = h11.Connection(
            h11.SERVER, max_incomplete_event_size=owner.limits.head_bytes
        )
        self._loop = asyncio.get_running_loop()
        self._buffer = owner.buffer if owner.buffer is not None else bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._has_heard = False
        self._waits_its_turn = False
        self._head_lines = 0
        self._head_end = b""
        self._is_head = False
        self._is_answering = False
        self._is_reading = True
        self._ahead_bytes = 0
        self._body: BodyReader | None = None
        self._is_last = False
        self._stream: ResponseStream | None = None
        self._streaming: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._is_clogged = False
        self._has_finished = False
        self._has_said_all = False
        self._is_ending = False
        self._thrown_away_bytes = 0
        self.address = ""
        self.peer = "?"

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered."""
        return self._is_answering

    # ---- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self.peer = authority(str(host), port)
        self.address = str(host) if port else ""
        if self._owner.enter(self):
            self._set_deadline()
        else:
            self._turn_away()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # it is over
        """See ``asyncio.BaseProtocol``."""
        self._forget()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002  # what a read may take is ours to say
        """See ``asyncio.BufferedProtocol``."""
        if not self._buffer:
            self._buffer = bytearray(READ_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        if self._is_ending:
            self._thrown_away_bytes += nbytes
            if self._thrown_away_bytes > _THROWN_AWAY_BYTES:
                self.abort()
            return
        received = bytes(memoryview(self._buffer)[:nbytes])
        if not self._has_heard and received.startswith(_RAW_TCP):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._has_heard = True
        if not self._is_answering and self._has_too_many_lines(received):
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self._http.receive_data(received)
        self._ahead_bytes += nbytes
        self._look()

    def _has_too_many_lines(self, received: bytes) -> bool:
        """Whether a head has more lines than may be read in one go (B2): reading one
        costs as much as a command does.
        """
        head, end, _ = (self._head_end + received).partition(_END_OF_HEAD)
        self._head_lines += head.count(b"\n")
        self._head_end = b"" if end else received[-len(_END_OF_HEAD) + 1 :]
        return self._head_lines > self._owner.limits.head_lines

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``; who has asked may still read the answer, unless it
        has no end: who listens to that does not say that it will say no more.
        """
        self._has_finished = True
        if self._stream is not None:
            self.abort()
            return False
        if not self._is_ending:
            self._http.receive_data(b"")
            if self._body is not None:
                self._body.lose()
            self._look()
        return not self._is_ending

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._is_clogged = True

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._is_clogged = False
        wake(self._writable)
        if self._stream is None:
            self._go_on()

    def _turn_away(self) -> None:
        """End the connection, for which there is no room."""
        full = self._owner.full(self)
        if full is None:
            self.abort()
        else:
            self._is_answering = self._is_last = True
            self._write(full)

    # ---- reading

    def _look(self) -> None:
        """See to what has arrived: of a body, whoever reads that does."""
        if not self._is_answering:
            if not self._waits_its_turn:
                self._advance()
        elif self._body is not None:
            self._body.wake()
        self._read_or_pause()

    def _advance(self) -> None:
        """Take the next request, once its head is there and it has its turn."""
        self._waits_its_turn = not self._owner.heads.admits(self._take_turn)
        if not self._waits_its_turn:
            self._take_head()

    def _take_turn(self) -> None:
        self._waits_its_turn = False
        if self._transport is not None and not self._is_ending:
            self._take_head()
            self._read_or_pause()

    def _take_head(self) -> None:
        try:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.ConnectionClosed):
                self._end()
        except h11.RemoteProtocolError as error:
            self._refuse(HTTPStatus(error.error_status_hint))

    def _begin(self, head: h11.Request) -> None:
        self._is_head = head.method == b"HEAD"
        lengths = {
            name: value
            for name, value in head.headers
            if name in {b"content-length", b"transfer-encoding"}
        }
        body = self._body = BodyReader(
            self._http,
            self._owner.scheduler,
            self._want_more,
            is_left=lengths not in ({}, {b"content-length": b"0"}),
        )
        if len(lengths) > 1:
            # Whoever stands before us may have gone by the other (RFC 9112, 6.1).
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if not body.is_left:
            self._http.next_event()  # which is its end
        path, _, query = head.target.decode("ascii", "replace").partition("?")
        request = HttpRequest(
            method=head.method.decode("ascii"),
            path=path,
            query=query,
            headers=[
                (name.decode("ascii"), value.decode("latin-1"))
                for name, value in head.headers
            ],
            body=body,
            address=self.address,
            peer=self.peer,
        )
        self._ahead_bytes = 0
        self._head_lines, self._head_end = 0, b""
        self._is_answering = True
        self._owner.spawn(self._answer(self._owner.answer(self, request)))

    def _want_more(self) -> None:
        """Read on of a body that is read: all that has arrived of it was."""
        self._ahead_bytes = 0
        self._read_or_pause()
        http = self._http
        if http.they_are_waiting_for_100_continue and self._transport is not None:
            self._transport.write(http.send(_GO_ON) or b"")

    def _read_or_pause(self) -> None:
        transport = self._transport
        may_read = self._ahead_bytes < READ_BYTES
        if not self._is_answering:
            may_read = not self._waits_its_turn
        reads = may_read or self._is_ending
        if transport is None or transport.is_closing() or reads == self._is_reading:
            return
        self._is_reading = reads
        if reads:
            transport.resume_reading()
        else:
            transport.pause_reading()

    # ---- answering

    async def _answer(self, answering: Awaitable[HttpResponse]) -> None:
        try:
            try:
                response = await answering
            except RequestBroken as broken:
                response = plain_response(broken.status)
            if isinstance(response.body, bytes):
                await self._write_whole(response, response.body)
            else:
                await self._write_stream(response, response.body)
        except ConnectionError:
            self.abort()
        except BaseException:
            self.abort()
            raise

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer what is no request, and end."""
        self._is_answering = self._is_last = True
        self._write(plain_response(status))

    def _write(self, response: HttpResponse) -> None:
        """Answer the request, or what is none; then wait for the next one, or end."""
        http, body = self._http, response.body
        if self._transport is None:
            return
        if http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.abort()
            return
        if self._body is not None:
            self._body.skip()
        written = self._head_of(response)
        if isinstance(body, bytes) and body and not self._is_head:
            written += http.send(h11.Data(data=body)) or b""
        written += http.send(h11.EndOfMessage()) or b""
        self._transport.write(written)
        self._answered()

    async def _write_whole(self, response: HttpResponse, body: bytes) -> None:
        """Answer the request, with a large body as with a stream's (B1)."""
        http, transport = self._http, self._transport
        if len(body) <= _UNSENT_BYTES or self._is_head or transport is None:
            self._write(response)
            return
        if self._body is not None:
            self._body.skip()
        self._streaming = asyncio.current_task()
        self._set_deadline()
        try:
            transport.write(self._head_of(response))
            for start in range(0, len(body), _UNSENT_BYTES):
                piece = body[start : start + _UNSENT_BYTES]
                transport.write(http.send(h11.Data(data=piece)) or b"")
                while self._is_clogged:
                    await self._wait_writable()
            transport.write(http.send(h11.EndOfMessage()) or b"")
        finally:
            self._streaming = None
        self._answered()

    async def _write_stream(
        self, response: HttpResponse, stream: ResponseStream
    ) -> None:
        """Answer with a body that goes on, until its end or the connection's."""
        http, transport = self._http, self._transport
        try:
            if transport is None or self._has_finished:
                raise ConnectionResetError
            self._stream, self._streaming = stream, asyncio.current_task()
            stream.on_cut = self.abort
            self._cancel_deadline()
            transport.write(self._head_of(response))
            async for piece in stream:
                transport.write(http.send(h11.Data(data=piece)) or b"")
                while self._is_clogged:
                    await self._wait_writable()
            transport.write(http.send(h11.EndOfMessage()) or b"")
        finally:
            self._stream = self._streaming = stream.on_cut = None
            await stream.aclose()
        self._answered()

    async def _wait_writable(self) -> None:
        self._writable = self._loop.create_future()
        try:
            await self._writable
        finally:
            self._writable = None

    def _head_of(self, response: HttpResponse) -> bytes:
        headers = headers_of(response)
        if self._http.their_state is not h11.DONE or self._is_last:
            headers.append(("Connection", "close"))  # not all of it was read
        status, reason = response.status, response.status.phrase.encode()
        head = h11.Response(status_code=status, headers=headers, reason=reason)
        return self._http.send(head) or b""

    def _answered(self) -> None:
        http = self._http
        has_to_be_soon = self._owner.waits(self)
        is_done = http.our_state is http.their_state is h11.DONE
        self._is_ending = self._is_last or not is_done
        if has_to_be_soon or self._is_ending:
            self._set_deadline()
        else:
            self._cancel_deadline()
        self._go_on()

    def _go_on(self) -> None:
        """Look for the next request once the answer before is on its way."""
        if self._transport is None or self._is_clogged:
            return
        if self._is_ending:
            self._end()
        elif self._is_answering and self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
            self._body = None
            self._is_answering = False
            ahead, _ = self._http.trailing_data
            if self._has_too_many_lines(ahead):
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            else:
                self._advance()
                self._read_or_pause()

    # ---- ending

    def finish(self) -> None:
        """End the connection, once a request that is being answered has its answer, or
        after the time that one has.
        """
        self._is_last = True
        self._set_deadline()
        if not (self._is_answering or self._is_ending) and self._transport is not None:
            self._transport.close()

    def _end(self) -> None:
        """Say no more; what the peer still says is thrown away, so that it is not reset
        before it has read the answer (RFC 9112, 9.6).
        """
        self._is_ending = True
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._has_finished:
            transport.close()
        elif not self._has_said_all:
            self._has_said_all = True
            transport.write_eof()
            self._read_or_pause()

    def limit_time(self, *, on: bool) -> None:
        """See ``transports.http_owner.OwnedConnection``."""
        if on:
            self._set_deadline()
        else:
            self._cancel_deadline()

    def _set_deadline(self) -> None:
        self._cancel_deadline()
        if self._transport is not None:
            within_s = self._owner.limits.within_s
            self._deadline = self._loop.call_later(within_s, self.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def abort(self) -> None:
        """End the connection at once."""
        transport = self._transport
        self._forget()
        if transport is not None:
            transport.abort()

    def _forget(self) -> None:
        self._transport = None
        self._cancel_deadline()
        self._owner.leave(self)
        if self._body is not None:
            self._body.lose()
        wake(self._writable)
        if self._streaming is not None:
            self._streaming.cancel()
