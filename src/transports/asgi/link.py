"""A WebSocket of an ASGI server as a link."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from chatcore.errors import CloseCode
from transports.asgi.messages import Receive, Send
from transports.base import LinkSettings
from transports.codec import Codec
from transports.errors import LinkClosed
from transports.message_link import MessageLink
from transports.subprotocols import clip_reason

_log = logging.getLogger(__name__)


class AsgiLink(MessageLink):
    """See ``transports.base.Link``: a message is a frame.

    Attributes:
        gone: set once the link has ended.
        lingers: whether the peer did not take what was written when it ended: then its
            connection stays for as long as it likes, and no server of ASGI cuts it off.
    """

    def __init__(
        self,
        settings: LinkSettings,
        codec: Codec,
        send: Send,
        *,
        peer: str,
        address: str,
    ) -> None:
        super().__init__(settings, peer=peer, address=address)
        self._is_text = codec.text
        self._tell_server = send
        self._peer_left = asyncio.Event()
        self.gone = asyncio.Event()
        self.lingers = False

    async def read(self, receive: Receive) -> None:
        """Receive all that comes, until the peer has gone, each when there is room."""
        try:
            await self._read(receive)
        except Exception:  # noqa: BLE001  # a fault there ends one link, not all
            _log.exception("A WebSocket of the ASGI server could not be read")
        finally:
            self.end(LinkClosed())

    async def _read(self, receive: Receive) -> None:
        while not self._peer_left.is_set():
            # What it says when nothing is to be read any more is thrown away, so that
            # it is not reset before it has read why the link ends.
            with suppress(LinkClosed):
                await self.room()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self._peer_left.set()
            elif message["type"] == "websocket.receive":
                self._take(message.get("text"), message.get("bytes"))

    def _take(self, text: str | None, binary: bytes | None) -> None:
        try:
            self.receive((text or "").encode() if binary is None else binary)
        except UnicodeEncodeError:
            self.end(LinkClosed(CloseCode.BROKEN_FRAME, "The text is not Unicode."))

    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """See ``transports.message_link.MessageLink``."""
        for message in messages:
            if self._is_text:
                await self._tell({"type": "websocket.send", "text": message.decode()})
            else:
                await self._tell({"type": "websocket.send", "bytes": message})

    async def finish(self, code: CloseCode, text: str) -> None:
        """See ``transports.message_link.MessageLink``: the close frame has the code."""
        reason = clip_reason(text)
        await self._tell(
            {"type": "websocket.close", "code": int(code), "reason": reason}
        )
        await self._peer_left.wait()

    async def _tell(self, message: dict[str, object]) -> None:
        try:
            await self._tell_server(message)
        except (OSError, RuntimeError):
            # What servers raise at a connection that has ended, or is ended by them.
            raise LinkClosed from None

    def cut(self) -> None:
        """See ``transports.message_link.MessageLink``."""
        self.lingers = self._sender is not None and not self._peer_left.is_set()
        self.gone.set()
