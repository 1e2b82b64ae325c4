"""How a client gets from nothing to an open session, and what it may be told meanwhile.

Both are tables. An event that stands in none of them for the state of now ends its
link: a server that sends it is broken or hostile, and going on would be to guess what
it means.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from chatcore import commands, events
from chatcore.commands import Command
from chatcore.events import Event


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
    **{(state, ClientTrigger.ENDED): ClientState.ENDED for state in ClientState},
}

OWN_ID: Final = 0
"""The id of what the client asks by itself: no command of a caller has it."""

_WELCOMED: Final = frozenset(
    {ClientState.RESUMING, ClientState.LOGGING_IN, ClientState.OPEN}
)

UNSOLICITED: Final[Mapping[type[Event], frozenset[ClientState]]] = {
    events.Welcome: frozenset({ClientState.GREETED}),
    events.Delivered: frozenset({ClientState.OPEN}),
    events.Bounced: frozenset({ClientState.OPEN}),
    # The session is attached a moment before that is answered.
    events.Received: _WELCOMED,
    events.Expiring: _WELCOMED,
    events.Ping: _WELCOMED,
    events.Closing: _WELCOMED | {ClientState.GREETED},
}
"""Events that come by themselves, and when they may."""

OWN_ANSWERS: Final[Mapping[type[Event], frozenset[ClientState]]] = {
    events.Resumed: frozenset({ClientState.RESUMING}),
    events.LoggedIn: frozenset({ClientState.LOGGING_IN}),
    # An acknowledgement has no answer but a refusal.
    events.Refused: _WELCOMED,
}
"""Answers to what the client asks by itself."""

ANSWERS: Final[Mapping[type[Event], tuple[type[Command], ...]]] = {
    events.Created: (commands.Create,),
    events.LoggedIn: (commands.Login,),
    events.LoggedOut: (commands.Logout,),
    events.Accepted: (commands.Send,),
    events.Started: (commands.List, commands.Deliver, commands.Delete),
    events.Listed: (commands.List,),
    events.DeliveryFinished: (commands.Deliver,),
    events.Deleted: (commands.Delete,),
    events.PasswordChanged: (commands.ChangePassword,),
    events.Proved: (commands.Prove,),
}
"""Answers to what callers ask, while commands flow, and to which commands; ``Refused``
answers any.
"""

_FLOWING: Final = {
    kind for kind, states in UNSOLICITED.items() if ClientState.OPEN in states
}


def why_unexpected(event: Event, state: ClientState, asked: Command | None) -> str:
    """Why an event may not come now, in words that name no content; empty if it may.

    ``asked`` is what the event's id names: a command that was written on this link and
    has no answer yet.
    """
    kind = type(event)
    if state is ClientState.OPEN and kind in _FLOWING:
        return ""
    if kind in UNSOLICITED:
        is_expected = state in UNSOLICITED[kind]
    elif getattr(event, "id", OWN_ID) == OWN_ID:
        is_expected = state in OWN_ANSWERS.get(kind, ())
    elif state is not ClientState.OPEN:
        is_expected = False
    elif asked is None:
        return f"{kind.__name__} answers what was not asked"
    elif kind is events.Refused or isinstance(asked, ANSWERS.get(kind, ())):
        return ""
    else:
        return f"{kind.__name__} is no answer to {type(asked).__name__}"
    return (
        "" if is_expected else f"{kind.__name__} does not belong to state {state.name}"
    )
