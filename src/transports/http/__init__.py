"""HTTP/1.1: Server-Sent Events one way, POST the other; frames are JSON (W1, W3)."""

from typing import Final

from transports.http.client import dial
from transports.http.server import listen

__all__ = ["codecs", "dial", "listen"]

codecs: Final = ("json",)
"""See ``transports.base.Transport``."""
