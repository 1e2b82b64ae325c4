"""The client: one for every transport, over any number of links."""

from transports.client.client import Client, Entry
from transports.client.connect import connect
from transports.client.reconnecting import Reconnecting

__all__ = ["Client", "Entry", "Reconnecting", "connect"]
