"""What a client has to say on its link, and in which frames; nothing here waits.

What the conversation says for itself goes first: the resume or login, a pong, the
acknowledgement. Of each there is at most one, however often a server makes it due.
"""

from collections.abc import Iterable
from typing import Final

from chatcore.commands import (
    Acknowledge,
    Command,
    Pong,
    Request,
)
from chatcore.errors import LoginRequired, MalformedCommand
from chatcore.ids import BEFORE_FIRST, Position
from transports.client.fitting import OWN_ID
from transports.client.giving_up import LinkGivenUp
from transports.client.pending_commands import PendingCommands
from transports.client.welcome import ServerLimits
from transports.codec import Codec, ItemTooLarge, split_commands

_PONG: Final = Request(OWN_ID, Pong())


class Outgoing:
    """What waits to be written.

    Attributes:
        limits: what the server has told of itself.
        is_attached: a login or resume was answered on this link, and with it the
            server reads larger frames (B1).
    """

    def __init__(self, codec: Codec, pending_commands: PendingCommands) -> None:
        self._codec = codec
        self._pending_commands = pending_commands
        self._own: Request | None = None
        self._owes_pong = False
        self._unsent: list[Request] = []
        self._acknowledged = BEFORE_FIRST
        self.limits = ServerLimits()
        self.is_attached = False

    def begin(self) -> None:
        """Nothing is said yet on a new link."""
        self._own = None
        self._owes_pong = False
        self._unsent = []
        self._acknowledged = BEFORE_FIRST
        self.is_attached = False

    def say(self, command: Command) -> None:
        """Say this before all else, for the conversation itself."""
        self._own = Request(OWN_ID, command)

    def owe_pong(self) -> None:
        """Say that we are there; once, however many pings there were."""
        self._owes_pong = True

    def add(self, requests: Iterable[Request]) -> None:
        """Say these, in order, once commands flow."""
        self._unsent += requests

    def frames(self, *, is_open: bool, acknowledged: Position | None) -> list[bytes]:
        """All that can be said now; what no frame holds is refused to who asked it.

        Args:
            is_open: whether commands flow.
            acknowledged: up to where mail is acknowledged; None without a session.

        Raises:
            LinkGivenUp: the server takes no frame that holds a resume or a login.
        """
        requests: list[Request] = []
        if self._own is not None:
            requests.append(self._own)
            self._own = None
        if self._owes_pong:
            requests.append(_PONG)
            self._owes_pong = False
        if is_open:
            if acknowledged is not None and acknowledged > self._acknowledged:
                self._acknowledged = acknowledged
                requests.append(Request(OWN_ID, Acknowledge(acknowledged)))
            requests += self._unsent
            self._unsent = []
        return self._encode(requests)

    def _encode(self, requests: list[Request]) -> list[bytes]:
        largest = self.limits.frame_bytes
        if not self.is_attached:
            largest = self.limits.login_frame_bytes
        while True:
            try:
                frames = split_commands(self._codec, requests, largest)
            except ItemTooLarge as too_large:
                requests = self._without(requests, too_large)
            except UnicodeEncodeError:
                requests = [it for it in requests if self._is_text(it)]
            else:
                for request in requests:
                    self._pending_commands.mark_sent(request.id)
                return frames

    def _without(
        self, requests: list[Request], too_large: ItemTooLarge
    ) -> list[Request]:
        """The rest, where one does not fit: it is refused, or waits for the login."""
        at = next(n for n, it in enumerate(requests) if it is too_large.item)
        request = requests[at]
        if request.id == OWN_ID:
            raise LinkGivenUp(f"The server takes too little: {too_large}")
        fits_later = too_large.frame_bytes <= self.limits.frame_bytes
        if fits_later and not self.is_attached and self._pending_commands.is_logging_in:
            # What comes after it has to wait too, for the order.
            self._unsent = requests[at:] + self._unsent
            return requests[:at]
        if fits_later and not self.is_attached:
            # As the server would say, which does not read it.
            name = type(request.command).__name__.lower()
            self._pending_commands.refuse(request.id, LoginRequired(command=name))
        else:
            reason = str(too_large)
            self._pending_commands.refuse(request.id, MalformedCommand(reason=reason))
        return requests[:at] + requests[at + 1 :]

    def _is_text(self, request: Request) -> bool:
        """Whether it can be encoded; a lone surrogate cannot, and is refused here."""
        try:
            self._codec.encode_commands([request])
        except UnicodeEncodeError:
            refusal = MalformedCommand(reason="a lone surrogate is no text")
            self._pending_commands.refuse(request.id, refusal)
            return False
        return True
