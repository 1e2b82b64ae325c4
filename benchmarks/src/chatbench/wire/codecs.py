"""What a session under load writes and reads, in each codec.

Frames of sends and acknowledgements are put together without the chat's own values
between; of what the server writes, only what a load counts is looked at. Everything
rarer (a login, a ping, a refusal) is for the chat's own codec:
``DecodedFrames.has_others``
says that there is some.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, Protocol

from chatbench.wire.base import Arrival
from chatbench.wire.maps import MapReader, MapWriter
from chatbench.wire.protobuf import read_events, write_acknowledge, write_sends


class DecodedFrames(NamedTuple):
    """What some frames of the server brought.

    Attributes:
        arrival: receipts and deliveries.
        has_others: whether there is more than those, and notices of what was received.
    """

    arrival: Arrival
    has_others: bool


class LeanCodec(Protocol):
    """Frames of one notation, as bytes."""

    def sends(
        self,
        first_id: int,
        recipient: str,
        bodies: Sequence[str],
        keys: Sequence[bytes],
    ) -> bytes:
        """A frame of sends, numbered from ``first_id``."""
        ...

    def acknowledge(self, position: int) -> bytes:
        """A frame that acknowledges all up to a position."""
        ...

    def read(self, frames: Sequence[bytes]) -> DecodedFrames:
        """What the frames brought, together.

        Raises:
            ValueError: one of them cannot be read.
        """
        ...


class ProtobufLean:
    """See ``LeanCodec``."""

    def sends(
        self,
        first_id: int,
        recipient: str,
        bodies: Sequence[str],
        keys: Sequence[bytes],
    ) -> bytes:
        """See ``LeanCodec``."""
        return write_sends(first_id, recipient, bodies, keys)

    def acknowledge(self, position: int) -> bytes:
        """See ``LeanCodec``."""
        return write_acknowledge(position)

    def read(self, frames: Sequence[bytes]) -> DecodedFrames:
        """See ``LeanCodec``."""
        receipts, bodies, position, others = read_events(frames)
        return DecodedFrames(Arrival(receipts, bodies, position), has_others=others > 0)


class MapLean:
    """See ``LeanCodec``: JSON or msgpack."""

    def __init__(self, name: str) -> None:
        self._writer = MapWriter(name)
        self._reader = MapReader(name)

    def sends(
        self,
        first_id: int,
        recipient: str,
        bodies: Sequence[str],
        keys: Sequence[bytes],
    ) -> bytes:
        """See ``LeanCodec``."""
        return self._writer.sends(first_id, recipient, bodies, keys)

    def acknowledge(self, position: int) -> bytes:
        """See ``LeanCodec``."""
        return self._writer.acknowledge(position)

    def read(self, frames: Sequence[bytes]) -> DecodedFrames:
        """See ``LeanCodec``."""
        receipts, bodies, position, others = self._reader.read(frames)
        return DecodedFrames(Arrival(receipts, bodies, position), has_others=others > 0)


@cache
def lean_codec(name: str) -> LeanCodec:
    """The codec of this name: ``protobuf``, ``json`` or ``msgpack``.

    Raises:
        ValueError: there is none of this name.
    """
    match name:
        case "protobuf":
            return ProtobufLean()
        case "json" | "msgpack":
            return MapLean(name)
        case _:
            raise ValueError(f"There is no lean codec {name!r}.")
