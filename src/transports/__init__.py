"""Transports, and what all of them share: the session driver and the client.

``serve`` and ``connect`` are what an application calls; ``register_transport`` adds a
transport.
"""

from transports.client import (
    Client,
    LinkDown,
    LinkEvent,
    LinkUp,
    ListedAccount,
    ReconnectPolicy,
    connect,
)
from transports.registry import register_transport
from transports.server import serve

__all__ = [
    "Client",
    "LinkDown",
    "LinkEvent",
    "LinkUp",
    "ListedAccount",
    "ReconnectPolicy",
    "connect",
    "register_transport",
    "serve",
]
