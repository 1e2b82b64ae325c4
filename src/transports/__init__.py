"""Transports, and what all of them share: the session driver and the client.

``serve`` (or ``open_server``) and ``connect`` are what an application calls;
``register_transport`` adds a transport.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""

from transports.client.client import Client, ListedAccount
from transports.client.connect import connect
from transports.client.errors import ClientMisused, ProofFailed
from transports.client.events import LinkDown, LinkEvent, LinkUp
from transports.client.proofs import ProofSource
from transports.client.reconnect import ReconnectPolicy
from transports.client.sync import SyncClient, connect_sync
from transports.registry import register_transport
from transports.server import Server, open_server, serve

__all__ = [
    "Client",
    "ClientMisused",
    "LinkDown",
    "LinkEvent",
    "LinkUp",
    "ListedAccount",
    "ProofFailed",
    "ProofSource",
    "ReconnectPolicy",
    "Server",
    "SyncClient",
    "connect",
    "connect_sync",
    "open_server",
    "register_transport",
    "serve",
]
