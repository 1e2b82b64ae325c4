"""Lean JSON and msgpack: structs that have only the fields that a load needs.

msgspec passes over every other field without making anything of it. 64-bit integers
are strings in JSON and numbers in msgpack; read either way (``strict=False``).
"""

from collections.abc import Sequence
from types import ModuleType

import msgspec
from msgspec import Struct


class _Send(Struct, gc=False, omit_defaults=True):
    recipient: str = ""
    body: str = ""
    key: bytes = b""


class _SendCommand(Struct, gc=False, omit_defaults=True):
    id: int = 0
    send: _Send | None = None


class _Acknowledge(Struct, gc=False, omit_defaults=True):
    position: int | str = 0


class _AcknowledgeCommand(Struct, gc=False):
    acknowledge: _Acknowledge


class _ClientFrame(Struct, gc=False):
    commands: list[_SendCommand] | list[_AcknowledgeCommand]


class MapWriter:
    """Frames of a client in JSON or msgpack."""

    def __init__(self, name: str) -> None:
        self._encode = _notation(name).encode
        self._wide = str if name == "json" else int

    def sends(
        self,
        first_id: int,
        recipient: str,
        bodies: Sequence[str],
        keys: Sequence[bytes],
    ) -> bytes:
        """A frame of sends, numbered from ``first_id``."""
        commands = [
            _SendCommand(number, _Send(recipient, body, key))
            for number, (body, key) in enumerate(
                zip(bodies, keys, strict=True), first_id
            )
        ]
        return self._written(_ClientFrame(commands))

    def acknowledge(self, position: int) -> bytes:
        """A frame that acknowledges all up to a position."""
        acknowledge = _Acknowledge(position and self._wide(position))
        return self._written(_ClientFrame([_AcknowledgeCommand(acknowledge)]))

    def _written(self, frame: _ClientFrame) -> bytes:
        written: bytes = self._encode(frame)
        return written


class _Present(Struct, gc=False):
    """Something whose fields nobody here wants."""


class _Delivered(Struct, gc=False):
    body: str
    position: int


class _Event(Struct, gc=False):
    delivered: _Delivered | None = None
    accepted: _Present | None = None
    received: _Present | None = None


class _ServerFrame(Struct, gc=False):
    events: list[_Event] = []


class MapReader:
    """Frames of a server in JSON or msgpack."""

    def __init__(self, name: str) -> None:
        self._decode = _notation(name).Decoder(_ServerFrame, strict=False).decode

    def read(self, frames: Sequence[bytes]) -> tuple[int, list[str], int, int]:
        """Receipts, bodies, the position of the last body, and how many other events.

        Raises:
            ValueError: one of them cannot be read.
        """
        receipts, bodies, position, others = 0, list[str](), 0, 0
        for frame in frames:
            try:
                events = self._decode(frame).events
            except msgspec.MsgspecError as error:  # from 0.22 on a ValueError itself
                raise ValueError(str(error)) from error
            for event in events:
                delivered = event.delivered
                if delivered is not None:
                    bodies.append(delivered.body)
                    position = delivered.position
                elif event.accepted is not None:
                    receipts += 1
                elif event.received is None:
                    others += 1
        return receipts, bodies, position, others


def _notation(name: str) -> ModuleType:
    return msgspec.json if name == "json" else msgspec.msgpack
