"""Frames inside one process: for tests, and for a chat without a network."""

from typing import Final

from transports.codec import CODECS
from transports.loopback.client import dial
from transports.loopback.server import listen

__all__ = ["codecs", "dial", "listen"]

codecs: Final = CODECS
"""See ``transports.base.Transport``."""
