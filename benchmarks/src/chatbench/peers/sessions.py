"""A session on another's server, as ``chatbench.wire.sessions`` gives one on ours."""

from typing import Final

from chatbench.cells import Contestant
from chatbench.peers.link import PeerLink, opened
from chatbench.peers.mqtt import MqttSession
from chatbench.peers.socketio import SocketIoSession
from chatbench.peers.xmpp import XmppSession
from chatbench.wire.base import OnArrival, OnFault

_PASSWORD: Final = "correct horse"  # noqa: S105  # of accounts in a folder that goes
_WITHIN_S: Final = 30.0


async def open_peer_session(
    url: str,
    contestant: Contestant,
    username: str,
    on_arrival: OnArrival,
    on_fault: OnFault,
) -> PeerLink:
    """A session of this user, who is made where the server has accounts.

    Raises:
        CannotOpen: the server is not there, or refused; or 30 s were not enough.
        ValueError: a protocol that none of our wires is for.
    """
    match contestant.transport:
        case "xmpp":
            xmpp = XmppSession(username, _PASSWORD, on_arrival, on_fault)
            return await opened(xmpp, url, _WITHIN_S)
        case "mqtt":
            mqtt = MqttSession(username, on_arrival, on_fault)
            return await opened(mqtt, url, _WITHIN_S)
        case "socketio":
            relayed = SocketIoSession(url, username, on_arrival, on_fault)
            return await opened(relayed, url, _WITHIN_S)
        case _:
            raise ValueError(f"No wire of ours is for {contestant.name}.")
