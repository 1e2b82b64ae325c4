"""Transports with one fault each, for tests of the suite itself.

They are ours, and wrapped: a function changes what is listened with, a link of either
end, or how one dials.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from chatcore.errors import CloseCode
from transports.base import (
    Address,
    Link,
    LinkSettings,
    Listener,
    NoLimit,
    ServeLink,
    Spawn,
    Transport,
)
from transports.codec import Codec
from transports.errors import CannotConnect, LinkClosed
from transports.wrapped_link import WrappedLink

MakeLink: TypeAlias = Callable[[Link], Link]


def _as_it_is(link: Link) -> Link:
    return link


@dataclass
class FaultyTransport:
    """See ``transports.base.Transport``.

    Attributes:
        transport: one without the fault.
        ours: what a server's end of a link is made.
        theirs: what a client's end is made.
        settings: what is changed of a listener's settings.
    """

    transport: Transport
    ours: MakeLink = _as_it_is
    theirs: MakeLink = _as_it_is
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def codecs(self) -> Sequence[str]:
        """See ``transports.base.Transport``."""
        return self.transport.codecs

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """See ``transports.base.Transport``."""

        async def serve_faulty(link: Link, codec: Codec) -> None:
            await serve_link(self.ours(link), codec)

        changed = replace(settings, **self.settings)  # type: ignore[arg-type]  # as in each test
        return await self.transport.listen(address, serve_faulty, changed, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        return self.theirs(await self.transport.dial(address, codec, settings))


# ---- links


class StillLink(WrappedLink):
    """Its peer has shown life when it was opened, and never again."""

    @property
    def active_s(self) -> float:
        """See ``transports.base.Link``."""
        return self.opened_s


class GreedyLink(WrappedLink):
    """It takes whatever is written, and is never clogged."""

    @property
    def is_clogged(self) -> bool:
        """See ``transports.base.Link``."""
        return False


class SilentLink(WrappedLink):
    """It does not tell that it is gone."""

    def reading_ended(self, end: LinkClosed) -> None:
        """See ``transports.base.FrameHandler``."""
        if not end.is_gone:
            super().reading_ended(end)


class CodelessLink(WrappedLink):
    """It is closed as if no code had been given."""

    async def close(self, code: CloseCode, text: str) -> None:  # noqa: ARG002  # that is the fault
        """See ``transports.base.Link``."""
        await self.link.close(CloseCode.LINK_LOST, "")


class ForgetfulLink(WrappedLink):
    """It writes two turns later, and a close does not wait for that."""

    def write(self, frames: Sequence[bytes]) -> None:
        """See ``transports.base.Link``."""
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self.link.write, frames)

    async def close(self, code: CloseCode, text: str) -> None:
        """See ``transports.base.Link``."""
        self.link.abort()
        await self.link.close(code, text)


# ---- listeners and dialling


class Closing(FaultyTransport):
    """Once it takes no new links, what the open ones need of it is turned away."""

    has_stopped = False

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """See ``transports.base.Transport``."""
        listener = await super().listen(address, serve_link, settings, spawn)
        transport = self

        class Stopping:
            """See ``transports.base.Listener``."""

            url = listener.url
            wait_finished = staticmethod(listener.wait_finished)

            async def stop_accepting(self) -> None:
                """See ``transports.base.Listener``."""
                transport.has_stopped = True
                await listener.stop_accepting()

        return Stopping()

    def turning_away(self, link: Link) -> Link:
        """A link whose later requests are turned away."""
        transport = self

        class TurnedAway(WrappedLink):
            """It needs the listener for whatever arrives."""

            def frames_received(self, frames: Sequence[bytes]) -> None:
                """See ``transports.base.FrameHandler``."""
                if not transport.has_stopped:
                    super().frames_received(frames)

        return TurnedAway(link)


class Busy(FaultyTransport):
    """It has work spawned that goes on when its listener was told to stop."""

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """See ``transports.base.Transport``."""
        spawn(_go_on())
        return await super().listen(address, serve_link, settings, spawn)


async def _go_on() -> None:
    await asyncio.Event().wait()


class Muffled(FaultyTransport):
    """To who dials, a server that refuses is one that is not there."""

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        try:
            return await super().dial(address, codec, settings)
        except LinkClosed as error:
            raise CannotConnect(address.text, "it hung up") from error


class Alarmist(FaultyTransport):
    """To who dials, a server that is not there is one that hangs up."""

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """See ``transports.base.Transport``."""
        try:
            return await super().dial(address, codec, settings)
        except CannotConnect as error:
            raise LinkClosed from error


UNASKED: Final = {"admission": NoLimit()}
"""Of a listener that asks nobody whether there is room."""
