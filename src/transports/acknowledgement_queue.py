"""Acknowledgements of one connection, taken ahead of its other commands (W7)."""

from collections.abc import Sequence

from chatcore import Chat
from chatcore.commands import Acknowledge, AlreadyRefused, Pong, Request
from chatcore.connections import Connection
from transports.codec import AT_A_STRETCH


class AcknowledgementQueue:
    """Puts acknowledgements aside, and takes those in a row together.

    Many peers write one for each message, and a frame for each: together they are one
    step for the store.
    """

    __slots__ = ("_aside", "_chat", "_connection")

    def __init__(self, chat: Chat, connection: Connection) -> None:
        self._chat = chat
        self._connection = connection
        self._aside: list[tuple[int, Acknowledge]] = []

    @property
    def waits(self) -> bool:
        """Whether there are some that were not taken."""
        return bool(self._aside)

    def sift(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Put acknowledgements aside; what is left to be carried out, without pongs."""
        left: list[Request] = []
        for request in requests:
            command = request.command
            if isinstance(command, Acknowledge):
                self._aside.append((request.id, command))
                continue
            if self._aside:
                left += self.take()
            if isinstance(command, Pong):
                self._connection.answers_pings = True
            else:
                left.append(request)
        if len(self._aside) >= AT_A_STRETCH:
            left += self.take()
        return left

    def take(self) -> Sequence[Request]:
        """Take what was put aside; the refusals, to be answered in their turn."""
        if not self._aside:
            return ()
        aside, self._aside = self._aside, []
        commands = [command for _, command in aside]
        refusals = self._chat.acknowledge(self._connection, commands)
        return [
            Request(number, AlreadyRefused(refusal))
            for (number, _), refusal in zip(aside, refusals, strict=True)
            if refusal is not None
        ]
