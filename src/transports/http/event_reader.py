"""Reading Server-Sent Events, as a server of ours writes them (HTML, 9.2.6)."""

from collections.abc import Iterator
from typing import Final

from transports.framing import LineFraming

_FIELD: Final = b"data: "
FIELD_BYTES: Final = len(_FIELD)
_NAME: Final = b"event: "


class EventReader:
    """Cuts a stream into events, each with one line of data.

    Args:
        data_bytes: the most that one may have.

    Attributes:
        held_bytes: how much of a line that is not complete it keeps.
    """

    def __init__(self, data_bytes: int) -> None:
        self._lines = LineFraming(data_bytes + FIELD_BYTES)
        self._name = b""

    @property
    def held_bytes(self) -> int:
        """See ``transports.framing.Framing``."""
        return self._lines.held_bytes

    def allow(self, data_bytes: int) -> None:
        """Take events of up to this size from now on."""
        self._lines.allow(data_bytes + FIELD_BYTES)

    def feed(self, received: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The name, empty where there is none, and the data of each event.

        Raises:
            FrameTooLarge: one has too much of it; feed no more.
        """
        for line in self._lines.feed(received):
            if line.startswith(_NAME):
                self._name = line.removeprefix(_NAME)
            elif line.startswith(_FIELD):
                name, self._name = self._name, b""
                yield name, line.removeprefix(_FIELD)
