"""What a client has to write on its link, and in which frames.

What the client says by itself goes first: the resume or login, a pong, the
acknowledgement. Of each there is at most one, however often a server makes it due.
"""

from collections.abc import Iterable
from typing import Final

from chatcore.commands import Acknowledge, Command, Login, Pong, Request, name_of
from chatcore.errors import LoginRequired, MalformedCommand
from chatcore.ids import BEFORE_FIRST, Position
from transports.client.errors import LinkFailed
from transports.client.limits import ServerLimits
from transports.client.pending_commands import PendingCommands
from transports.client.states import OWN_ID
from transports.codec import Codec, ItemTooLarge, split

_PONG: Final = Request(OWN_ID, Pong())


class SendBuffer:
    """What waits to be written.

    Attributes:
        codec: of the link that there is; set before anything is written on one.
        limits: what the server has told of itself.
        is_attached: a login or resume was answered on this link, and with it the
            server reads larger frames (B1).
        is_blocked: a command is too large until a login is answered, and those after
            it wait with it, for the order.
        acknowledged: the position whose acknowledgement was last written.
    """

    codec: Codec

    def __init__(self, pending: PendingCommands) -> None:
        self._pending = pending
        self.limits = ServerLimits()
        self.clear()

    def clear(self) -> None:
        """Nothing is said yet on a new link."""
        self._own: Request | None = None
        self._owes_pong = False
        self._requests: list[Request] = []
        self.is_attached = False
        self.is_blocked = False
        self.acknowledged = BEFORE_FIRST

    def attach(self, acknowledged: Position) -> None:
        """A caller's login was answered; its mail is acknowledged so far."""
        self.is_attached = True
        self.is_blocked = False
        self.acknowledged = acknowledged

    def say(self, command: Command) -> None:
        """Say this before all else, for the client itself."""
        self._own = Request(OWN_ID, command)

    def owe_pong(self) -> None:
        """Say that we are there; once, however many pings there were."""
        self._owes_pong = True

    def add(self, requests: Iterable[Request]) -> None:
        """Say these, in order, once commands flow."""
        self._requests += requests

    @property
    def has_own(self) -> bool:
        """Whether the client has something to say by itself."""
        return self._own is not None or self._owes_pong

    @property
    def has_requests(self) -> bool:
        """Whether commands of callers can be written once commands flow."""
        return bool(self._requests) and not self.is_blocked

    def frames(self, *, is_open: bool, acknowledged: Position) -> list[bytes]:
        """All that can be said now; what no frame holds is refused to who asked it.

        Args:
            is_open: whether commands flow.
            acknowledged: up to where mail is acknowledged.

        Raises:
            LinkFailed: the server takes no frame that holds a resume or a login.
        """
        requests: list[Request] = []
        if self._own is not None:
            requests.append(self._own)
            self._own = None
        if self._owes_pong:
            requests.append(_PONG)
            self._owes_pong = False
        if is_open:
            if acknowledged > self.acknowledged:
                self.acknowledged = acknowledged
                requests.append(Request(OWN_ID, Acknowledge(acknowledged)))
            if not self.is_blocked:
                requests += self._requests
                self._requests = []
        return self._encode(requests)

    def _encode(self, requests: list[Request]) -> list[bytes]:
        largest = self.limits.frame_bytes
        if not self.is_attached:
            largest = self.limits.login_frame_bytes
        while True:
            try:
                frames = split(requests, self.codec.encode_commands, largest)
            except ItemTooLarge as too_large:
                requests = self._without(requests, too_large)
            except UnicodeEncodeError:
                requests = [it for it in requests if self._is_text(it)]
            else:
                for request in requests:
                    self._pending.mark_sent(request.id)
                return frames

    def _without(
        self, requests: list[Request], too_large: ItemTooLarge
    ) -> list[Request]:
        """The rest, where one does not fit: it is refused, or waits for the login."""
        at = next(n for n, it in enumerate(requests) if it is too_large.item)
        request = requests[at]
        if request.id == OWN_ID:
            raise LinkFailed(f"The server takes too little: {too_large}")
        before = requests[:at]
        fits_later = too_large.frame_bytes <= self.limits.frame_bytes
        if not fits_later or self.is_attached:
            reason = str(too_large)
            self._pending.finish(request.id, MalformedCommand(reason=reason))
        elif self._pending.is_logging_in or any(
            isinstance(it.command, Login) for it in before
        ):
            self._requests = requests[at:] + self._requests
            self.is_blocked = True
            return before
        else:
            # As the server would say, which does not read it.
            refusal = LoginRequired(command=name_of(request.command))
            self._pending.finish(request.id, refusal)
        return before + requests[at + 1 :]

    def _is_text(self, request: Request) -> bool:
        """Whether it can be encoded; a lone surrogate cannot, and is refused here."""
        try:
            self.codec.encode_commands([request])
        except UnicodeEncodeError:
            refusal = MalformedCommand(reason="a lone surrogate is no text")
            self._pending.finish(request.id, refusal)
            return False
        return True
