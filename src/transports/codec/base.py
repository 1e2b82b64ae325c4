"""What a codec is: frames to values and back, and nothing of how frames travel."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from chatcore.commands import Request
from chatcore.errors import ChatError
from chatcore.events import Event


class BrokenFrame(ChatError):
    """Bytes that are no frame at all: their link cannot go on (E2)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The frame cannot be read: {reason}.")


MOST_COMMANDS: Final = 8192
"""The most commands that a frame may hold: eight times what a session lets wait.

A frame of 1 MiB could hold half a million empty ones.
"""

MOST_EVENTS: Final = 65_536
"""The most events that a client reads of a frame: many more than a server writes. Two
million empty ones would fit into 4 MiB."""

AT_A_STRETCH: Final = 256
"""So many commands are read from a frame before others may have a turn (B2)."""

MOST_COMMAND_BYTES: Final = 512 * 1024
"""The most that one command may take in a frame: more than JSON needs for the longest
body, and less than would keep the general reader of commands busy for long (B2)."""


def check_number(items: int, *, most: int, kind: str) -> None:
    """Raise ``BrokenFrame`` for a frame of more than anybody has a use for."""
    if items > most:
        raise BrokenFrame(f"it has more than {most} {kind}")


class UnknownCodec(ChatError):
    """A codec's name that nothing here answers to."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"There is no codec {name!r}; there are {', '.join(known)}.")


class Codec(Protocol):
    """One way to write a frame's items as bytes; stateless, and free to share.

    Encoding and decoding keep the order of the items. What is encoded has to be within
    the ranges of the schema; text with a lone surrogate, which UTF-8 cannot hold, is a
    ``UnicodeEncodeError``.
    """

    @property
    def name(self) -> str:
        """What the handshake calls it, such as ``json``."""
        ...

    @property
    def text(self) -> bool:
        """Whether frames are UTF-8 text in one line, for links that tell the two
        apart or split at newlines.
        """
        ...

    def decode_commands(self, frame: bytes) -> list[Request]:
        """The requests of a client's frame.

        A command that cannot be read is ``Unknown`` or ``Malformed`` in its place, so
        that the others are not harmed (E3). An id that is absent, or cannot be read
        itself, is 0.

        Raises:
            BrokenFrame: the bytes are no frame; nothing else, whatever they are.
        """
        ...

    def read_commands(self, frame: bytes) -> Iterator[list[Request]]:
        """The same requests in order, ``AT_A_STRETCH`` at a time: a reader can let
        others have a turn between. What is raised may come after some of them.
        """
        ...

    def encode_events(self, events: Sequence[Event]) -> bytes:
        """A server's frame."""
        ...

    def encode_commands(self, requests: Sequence[Request]) -> bytes:
        """A client's frame.

        Raises:
            ValueError: one is ``Unknown`` or ``Malformed``, which are only ever read.
        """
        ...

    def decode_events(self, frame: bytes) -> list[Event]:
        """The events of a server's frame, without kinds that only a newer one knows.

        Raises:
            BrokenFrame: the bytes are no frame, or an event in it cannot be read;
                nothing else, whatever they are.
        """
        ...
