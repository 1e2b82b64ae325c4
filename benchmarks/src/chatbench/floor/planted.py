"""A cost put in on purpose: so much CPU a message, for the harness to find.

The codec burns it while it reads each ``Send``, on the thread that runs the server, by
that thread's own clock: what others take of the core meanwhile does not count.
"""

import math
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final

from chatbench.floor.changed import Change
from chatcore.commands import Request, Send
from chatcore.errors import ChatError
from chatcore.events import Event
from transports.base import Link
from transports.codec import Codec

_NAME: Final = "cpu_us"
_NS: Final = 1000


class UnknownPlant(ChatError):
    """A planted fault that nobody knows how to put in."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} cannot be planted; {_NAME}=20 can.")


class CostlyCodec:
    """See ``transports.codec.Codec``; reading a ``Send`` costs ``cpu_us`` more."""

    def __init__(self, codec: Codec, cpu_us: float) -> None:
        self._read = codec.read_commands
        self._encode = codec.encode_events
        self._cost_ns = round(cpu_us * _NS)
        self.name = codec.name
        self.text = codec.text
        self.encode_commands = codec.encode_commands
        self.decode_events = codec.decode_events

    def decode_commands(self, frame: bytes) -> list[Request]:
        """See ``Codec``."""
        return list(chain.from_iterable(self.read_commands(frame)))

    def read_commands(self, frame: bytes) -> Iterator[list[Request]]:
        """See ``Codec``."""
        for requests in self._read(frame):
            self._pay(requests)
            yield requests

    def _pay(self, requests: Sequence[Request]) -> None:
        sends = sum(isinstance(it.command, Send) for it in requests)
        if sends:
            until_ns = time.thread_time_ns() + sends * self._cost_ns
            while time.thread_time_ns() < until_ns:
                pass

    def encode_events(self, events: Sequence[Event]) -> bytes:
        """See ``Codec``."""
        return self._encode(events)


def planted(text: str) -> Change:
    """The change that ``cpu_us=20`` asks for.

    Raises:
        UnknownPlant: it asks for something else, or for no number.
    """
    name, _, number = text.partition("=")
    try:
        cpu_us = float(number)
    except ValueError as error:
        raise UnknownPlant(text) from error
    if name != _NAME or not 0 < cpu_us < math.inf:
        raise UnknownPlant(text)
    return partial(_plant, cpu_us)


def _plant(cpu_us: float, link: Link, codec: Codec) -> tuple[Link, Codec]:
    return link, CostlyCodec(codec, cpu_us)
