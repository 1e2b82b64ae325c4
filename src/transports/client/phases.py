"""How a client gets from nothing to an open session, as a table."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class ClientState(Enum):
    """Where a client is."""

    DIALLING = auto()
    """There is no link."""
    IDLE = auto()
    """There is no link, and nobody needs one."""
    GREETED = auto()
    """A link is there, and the server's welcome is awaited."""
    RESUMING = auto()
    """The session's token was shown."""
    LOGGING_IN = auto()
    """The session is gone; the same account is logged in to again."""
    OPEN = auto()
    """Commands flow."""
    ENDED = auto()
    """Nothing flows any more."""


class ClientTrigger(Enum):
    """What takes it further."""

    LINKED = auto()
    WELCOMED = auto()
    WELCOMED_WITH_TOKEN = auto()
    SESSION_GONE = auto()
    ATTACHED = auto()
    LINK_LOST = auto()
    NOT_NEEDED = auto()
    ASKED = auto()
    ENDED = auto()


CLIENT_STATES: Final[Mapping[tuple[ClientState, ClientTrigger], ClientState]] = {
    (ClientState.DIALLING, ClientTrigger.LINKED): ClientState.GREETED,
    (ClientState.DIALLING, ClientTrigger.LINK_LOST): ClientState.DIALLING,
    (ClientState.DIALLING, ClientTrigger.NOT_NEEDED): ClientState.IDLE,
    (ClientState.IDLE, ClientTrigger.ASKED): ClientState.DIALLING,
    (ClientState.GREETED, ClientTrigger.WELCOMED): ClientState.OPEN,
    (ClientState.GREETED, ClientTrigger.WELCOMED_WITH_TOKEN): ClientState.RESUMING,
    (ClientState.GREETED, ClientTrigger.LINK_LOST): ClientState.DIALLING,
    (ClientState.RESUMING, ClientTrigger.ATTACHED): ClientState.OPEN,
    (ClientState.RESUMING, ClientTrigger.SESSION_GONE): ClientState.LOGGING_IN,
    (ClientState.RESUMING, ClientTrigger.LINK_LOST): ClientState.DIALLING,
    (ClientState.LOGGING_IN, ClientTrigger.ATTACHED): ClientState.OPEN,
    (ClientState.LOGGING_IN, ClientTrigger.LINK_LOST): ClientState.DIALLING,
    (ClientState.OPEN, ClientTrigger.LINK_LOST): ClientState.DIALLING,
    **{(phase, ClientTrigger.ENDED): ClientState.ENDED for phase in ClientState},
}
