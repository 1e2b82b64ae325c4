"""Raw TCP: a line of greeting each way, then frames (W2)."""

from typing import Final

from transports.codec import CODECS
from transports.tcp.client import dial
from transports.tcp.server import listen

__all__ = ["codecs", "dial", "listen"]

codecs: Final = CODECS
"""See ``transports.base.Transport``."""
