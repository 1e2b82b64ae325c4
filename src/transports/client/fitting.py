"""Which events a client may be sent in which phase, as tables.

What fits nowhere ends its link: a server that says it is broken or hostile, and going
on would be to guess what it means.
"""

from collections.abc import Mapping
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
from transports.client.phases import ClientState

OWN_ID: Final = 0
"""The id of commands that the conversation itself asks: no caller's has it."""

UNASKED: Final[Mapping[type[Event], frozenset[ClientState]]] = {
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
"""Answers to what the conversation itself asks."""

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
    kind for kind, phases in UNASKED.items() if ClientState.OPEN in phases
}


def misfit(event: Event, phase: ClientState, asked: Command | None) -> str:
    """Why an event does not fit, in words that name no content; empty if it does.

    ``asked`` is what the event's id names: a command that was written on this link and
    has no answer yet.
    """
    kind = type(event)
    if phase is ClientState.OPEN and kind in _FLOWING:
        return ""
    if kind in UNASKED:
        fits = phase in UNASKED[kind]
    elif getattr(event, "id", OWN_ID) == OWN_ID:
        fits = phase in OWN_ANSWERS.get(kind, ())
    elif phase is not ClientState.OPEN:
        fits = False
    elif asked is None:
        return f"{kind.__name__} answers what was not asked"
    elif kind is Refused or isinstance(asked, ANSWERS.get(kind, ())):
        return ""
    else:
        return f"{kind.__name__} is no answer to {type(asked).__name__}"
    return "" if fits else f"{kind.__name__} does not belong to phase {phase.name}"
