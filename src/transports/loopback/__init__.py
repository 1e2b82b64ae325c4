"""Frames inside one process: for tests, and for a chat without a network."""

from transports.loopback.client import dial
from transports.loopback.server import listen

__all__ = ["dial", "listen"]
