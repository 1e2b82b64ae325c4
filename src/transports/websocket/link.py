"""A WebSocket connection as a link."""

from collections.abc import Callable, Sequence

from websockets.frames import CloseCode as WebSocketCode
from websockets.protocol import Protocol

from chatcore.connections import NO_HEADERS
from chatcore.errors import CloseCode
from transports.base import ANY_FRAME_BYTES, FrameHandler, authority
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.subprotocols import clip_reason
from transports.websocket.bounded import BoundedConnection


class WebSocketLink:
    """See ``transports.base.Link``."""

    __slots__ = (
        "_connection",
        "_handler",
        "_is_text",
        "address",
        "headers",
        "opened_s",
        "peer",
    )

    def __init__(self, connection: BoundedConnection, codec: Codec) -> None:
        self._connection = connection
        self._is_text = codec.text
        self._handler: FrameHandler | None = None
        self.headers = NO_HEADERS
        host, port, *_ = connection.remote_address or ("?", 0)
        self.peer = authority(str(host), port)
        self.address = str(host) if port else ""
        self.opened_s = connection.opened_s

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return self._connection.active_s

    @property
    def taken_s(self) -> float:
        """See ``transports.base.Link``."""
        return self._connection.taken_s

    @property
    def most_frame_bytes(self) -> int:
        """See ``transports.base.Link``."""
        return ANY_FRAME_BYTES

    def allow(self, frame_bytes: int) -> None:
        """See ``transports.base.Link``."""
        self._connection.allow(frame_bytes)

    def hold_reading(self, *, on: bool) -> None:
        """See ``transports.base.Link``."""
        self._connection.hold_reading(on=on)

    def report_held(self, report: Callable[[int], None]) -> None:
        """See ``transports.base.Link``."""
        self._connection.report_held(report)

    def start(self, handler: FrameHandler) -> None:
        """See ``transports.base.Link``; text that is not UTF-8 ends the link."""
        self._handler = handler
        self._connection.start(self)

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return self._connection.paused

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        self._connection.write(frames, is_text=self._is_text)

    # ---- transports.websocket.bounded.MessageHandler

    def messages_received(self, messages: Sequence[bytes]) -> None:
        """See ``MessageHandler``."""
        if self._handler is not None:
            self._handler.frames_received(messages)

    def connection_ended(self) -> None:
        """See ``MessageHandler``."""
        if self._handler is not None:
            end = _link_closed(self._connection.protocol)
            if not end.is_gone:
                self._handler.reading_ended(end)
            self._handler.reading_ended(LinkClosed())

    def resume_writing(self) -> None:
        """See ``MessageHandler``."""
        if self._handler is not None:
            self._handler.resume_writing()

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``: the close frame has the same code."""
        await self._connection.close(int(code), clip_reason(text))

    def abort(self) -> None:
        """See ``transports.base.Link``."""
        self._connection.transport.abort()


def _link_closed(closed: Protocol) -> LinkClosed:
    """What a WebSocket's end means to a chat.

    The library itself refuses a message over the limit, as 1009, before it is read,
    and text that is not UTF-8, as 1007. A server around an application says 1012 when
    it shuts down before that could.
    """
    received = closed.close_rcvd
    ends = [it for it in (received, closed.close_sent) if it is not None]
    for end in ends:
        if end.code == WebSocketCode.MESSAGE_TOO_BIG:
            return LinkClosed(CloseCode.FRAME_TOO_LARGE, "The frame is over the limit.")
        if end.code == WebSocketCode.INVALID_DATA:
            return LinkClosed(CloseCode.BROKEN_FRAME, "The text is not UTF-8.")
        if end.code == WebSocketCode.SERVICE_RESTART:
            return LinkClosed(CloseCode.SHUTTING_DOWN)
    if received is not None and received.code in set(CloseCode):
        return LinkClosed(CloseCode(received.code), received.reason)
    return LinkClosed()
