"""The client: one for every transport, over any number of links."""

from transports.client.client import Client, ListedAccount
from transports.client.connect import connect
from transports.client.events import LinkDown, LinkEvent, LinkUp
from transports.client.reconnect import ReconnectPolicy

__all__ = [
    "Client",
    "LinkDown",
    "LinkEvent",
    "LinkUp",
    "ListedAccount",
    "ReconnectPolicy",
    "connect",
]
