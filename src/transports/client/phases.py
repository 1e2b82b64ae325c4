"""How a client gets from nothing to an open session, as a table."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class Phase(Enum):
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


class Step(Enum):
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


PHASES: Final[Mapping[tuple[Phase, Step], Phase]] = {
    (Phase.DIALLING, Step.LINKED): Phase.GREETED,
    (Phase.DIALLING, Step.LINK_LOST): Phase.DIALLING,
    (Phase.DIALLING, Step.NOT_NEEDED): Phase.IDLE,
    (Phase.IDLE, Step.ASKED): Phase.DIALLING,
    (Phase.GREETED, Step.WELCOMED): Phase.OPEN,
    (Phase.GREETED, Step.WELCOMED_WITH_TOKEN): Phase.RESUMING,
    (Phase.GREETED, Step.LINK_LOST): Phase.DIALLING,
    (Phase.RESUMING, Step.ATTACHED): Phase.OPEN,
    (Phase.RESUMING, Step.SESSION_GONE): Phase.LOGGING_IN,
    (Phase.RESUMING, Step.LINK_LOST): Phase.DIALLING,
    (Phase.LOGGING_IN, Step.ATTACHED): Phase.OPEN,
    (Phase.LOGGING_IN, Step.LINK_LOST): Phase.DIALLING,
    (Phase.OPEN, Step.LINK_LOST): Phase.DIALLING,
    **{(phase, Step.ENDED): Phase.ENDED for phase in Phase},
}
