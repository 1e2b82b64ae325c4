"""Servers whose frames come apart, and late: no luck with how events are joined.

A frame that the server writes is cut between its events at random, and its pieces go
out with turns of the event loop between them, so that what waits meanwhile is joined
to others. What is drawn depends on the seed, the test and the link's number alone:
``TESTS_SPLIT_SEED`` in the environment, 0 without it, repeats a run.

The conftests of ``conformance`` and ``interop`` register such transports for each test;
``split_chatcore`` is the command with such servers, and has no need of pytest.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from itertools import count
from random import Random
from typing import Final, cast

from chatcore.errors import CloseCode
from transports import registry
from transports.base import (
    Address,
    Link,
    LinkSettings,
    Listener,
    ServeLink,
    Spawn,
    Transport,
)
from transports.codec import Codec
from transports.wrapped_link import WrappedLink

SEED: Final = "TESTS_SPLIT_SEED"
_MOST_TURNS: Final = 3
_MOST_CUTS: Final = 4
_WHOLE: Final = 0.5
"""How often a frame goes out as it is: the suite should take no longer for the cuts."""


def seed() -> str:
    """What all that is drawn depends on."""
    return os.environ.get(SEED, "0")


class SplittingLink(WrappedLink):
    """See ``transports.base.Link``; cuts what is written."""

    def __init__(self, link: Link, codec: Codec, chance: Random) -> None:
        super().__init__(link)
        self._codec = codec
        self._chance = chance
        self._late: deque[tuple[int, bytes]] = deque()
        self._is_waiting = False

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        for frame in frames:
            if self._chance.random() < _WHOLE:
                self._late.append((0, frame))
                continue
            for piece in self._pieces(frame):
                self._late.append((self._chance.randrange(_MOST_TURNS), piece))
        self._go_on()

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return bool(self._late) or self.link.is_clogged

    def resume_writing(self) -> None:
        """See ``transports.base.FrameHandler``."""
        self._go_on()
        if not self.is_clogged:
            self.handler.resume_writing()

    def _go_on(self) -> None:
        """Write what is due, as long as the link takes it."""
        if self._is_waiting:
            return
        while self._late and not self.link.is_clogged:
            turns, piece = self._late[0]
            if turns:
                self._late[0] = (turns - 1, piece)
                self._is_waiting = True
                asyncio.get_running_loop().call_soon(self._next_turn)
                return
            self._late.popleft()
            self.link.write([piece])

    def _next_turn(self) -> None:
        self._is_waiting = False
        self.resume_writing()

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        while self._is_waiting:  # noqa: ASYNC110  # for turns, at the most a few
            await asyncio.sleep(0)
        await self.link.close(code, text)

    def _pieces(self, frame: bytes) -> Iterator[bytes]:
        events = self._codec.decode_events(frame)
        most = self._chance.randint(1, _MOST_CUTS)
        places = range(1, len(events))
        if not places:
            yield frame
            return
        cuts = sorted(self._chance.sample(places, min(most, len(places))))
        for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
            yield self._codec.encode_events(events[start:end])


class SplittingTransport:
    """A transport whose servers write through a ``SplittingLink``.

    It is ``found`` when it is first used: gRPC takes long to import.
    """

    def __init__(self, found: Callable[[], Transport], name: str) -> None:
        self.found = found
        self._name = name
        self._numbers = count()

    @property
    def codecs(self) -> Sequence[str]:
        """See ``transports.base.Transport``."""
        return self.found().codecs

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """See ``transports.base.Transport``."""

        async def serve_splitting(link: Link, codec: Codec) -> None:
            chance = Random(f"{self._name} {next(self._numbers)}")  # noqa: S311  # a test's
            await serve_link(SplittingLink(link, codec, chance), codec)

        return await self.found().listen(address, serve_splitting, settings, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        return await self.found().dial(address, codec, settings)


def splitting_transports(name: str) -> Mapping[str, Transport]:
    """Every transport by its scheme, splitting; ``name`` is the test's."""
    found: dict[str, Callable[[], Transport]] = {
        scheme: partial(_imported, module)
        for scheme, module in registry.TRANSPORTS.built_in.items()
    }
    for scheme, transport in registry.TRANSPORTS.registered.items():
        found[scheme] = partial(_as_it_is, transport)
    return {
        scheme: SplittingTransport(it, f"{seed()} {name} {scheme}")
        for scheme, it in found.items()
    }


def _imported(module: str) -> Transport:
    return cast("Transport", import_module(module))


def _as_it_is(transport: Transport) -> Transport:
    return transport
