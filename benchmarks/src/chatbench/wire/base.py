"""What loads a server: a logged-in session that does next to nothing itself.

Everything is a callback: what the socket brings is counted where it arrives, without a
task or a queue between. ``open_session`` in ``wire.sessions`` gives one for each
transport, codec and driver.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias


class Arrival(NamedTuple):
    """What one read brought to a session.

    Attributes:
        receipts: how many of its sends were accepted, in the order they were sent.
        bodies: what was delivered to it, in order.
        position: of the last of them; 0 without any.
    """

    receipts: int
    bodies: Sequence[str]
    position: int


OnArrival: TypeAlias = Callable[[Arrival], None]
OnFault: TypeAlias = Callable[[str], None]
"""Told once, with a sentence: a refusal, or the end of a link that was not closed."""


class WireSession(Protocol):
    """One account's session, logged in, on a wire of its own.

    Attributes:
        frames_out: frames that it wrote since it was opened.
        frames_in: frames that it read since then.
    """

    frames_out: int
    frames_in: int

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """Write these messages now: in one frame, or one each where frames are single.

        It never waits; what the socket does not take is buffered.
        """
        ...

    def acknowledge(self, position: int) -> None:
        """Acknowledge all up to this position."""
        ...

    def close(self) -> None:
        """Drop the link at once."""
        ...
