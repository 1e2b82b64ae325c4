"""WebSocket (RFC 6455): a frame a message, the codec by subprotocol (W1, W3)."""

from transports.websocket.client import dial
from transports.websocket.server import listen

__all__ = ["dial", "listen"]
