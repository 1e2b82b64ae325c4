"""WebSocket (RFC 6455): a frame a message, the codec by subprotocol (W1, W3)."""

from typing import Final

from transports.codec import CODECS
from transports.websocket.client import dial
from transports.websocket.server import listen

__all__ = ["codecs", "dial", "listen"]

codecs: Final = CODECS
"""See ``transports.base.Transport``."""
