"""How a client gets from nothing to an open session, and what it may be told meanwhile.

Both are tables. An event that stands in none of them for the state of now ends its
link: a server that sends it is broken or hostile, and going on would be to guess what
it means.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    List,
    Login,
    Logout,
    Send,
)
from chatcore.events import (
    Accepted,
    Bounced,
    Closing,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    Listed,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Ping,
    Received,
    Refused,
    Resumed,
    Started,
    Welcome,
)


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

UNSOLICITED: Final[Mapping[type[Event], frozenset[ClientState]]] = {
    Welcome: frozenset({ClientState.GREETED}),
    Delivered: frozenset({ClientState.OPEN}),
    Bounced: frozenset({ClientState.OPEN}),
    # The session is attached a moment before that is answered.
    Received: frozenset(
        {ClientState.RESUMING, ClientState.LOGGING_IN, ClientState.OPEN}
    ),
    Ping: frozenset({ClientState.RESUMING, ClientState.LOGGING_IN, ClientState.OPEN}),
    Closing: frozenset(
        {
            ClientState.GREETED,
            ClientState.RESUMING,
            ClientState.LOGGING_IN,
            ClientState.OPEN,
        }
    ),
}
"""Events that come by themselves, and when they may."""

OWN_ANSWERS: Final[Mapping[type[Event], frozenset[ClientState]]] = {
    Resumed: frozenset({ClientState.RESUMING}),
    LoggedIn: frozenset({ClientState.LOGGING_IN}),
    # An acknowledgement has no answer but a refusal.
    Refused: frozenset(
        {ClientState.RESUMING, ClientState.LOGGING_IN, ClientState.OPEN}
    ),
}
"""Answers to what the client asks by itself."""

ANSWERS: Final[Mapping[type[Event], tuple[type[Command], ...]]] = {
    Created: (Create,),
    LoggedIn: (Login,),
    LoggedOut: (Logout,),
    Accepted: (Send,),
    Started: (List, Deliver, Delete),
    Listed: (List,),
    DeliveryFinished: (Deliver,),
    Deleted: (Delete,),
    PasswordChanged: (ChangePassword,),
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
    elif kind is Refused or isinstance(asked, ANSWERS.get(kind, ())):
        return ""
    else:
        return f"{kind.__name__} is no answer to {type(asked).__name__}"
    return (
        "" if is_expected else f"{kind.__name__} does not belong to state {state.name}"
    )
