"""Raw TCP: a line of greeting each way, then frames (W2)."""

from transports.tcp.client import dial
from transports.tcp.server import listen

__all__ = ["dial", "listen"]
