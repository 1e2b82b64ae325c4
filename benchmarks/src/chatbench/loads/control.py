"""A bare link to a chat server, for what is asked now and then: commands and answers.

The transports' own clients dial it. It costs more than a lean session, so it is for
loads of which only the server's side is told.
"""

from collections.abc import AsyncIterator
from typing import Final

from chatbench.loads.rounds import Round, RoundFailed
from chatbench.wire.lean import PASSWORD
from chatcore.commands import Command, Create, Login, Pong, Request
from chatcore.events import Closing, Event, LoggedIn, Ping, Refused
from chatcore.limits import MIB
from transports.awaited_link import AwaitedLink
from transports.base import Link, LinkSettings, parse_address
from transports.codec import codec
from transports.registry import transport_for

_SETTINGS: Final = LinkSettings(frame_bytes=16 * MIB)


class Control:
    """One connection; ``dial`` makes it."""

    def __init__(self, link: Link, codec_name: str) -> None:
        self._link = AwaitedLink(link)
        self._codec = codec(codec_name)
        self._asked = 0

    async def ask(self, command: Command) -> Event:
        """The first answer to a command.

        Raises:
            LinkClosed: the link was lost.
            RoundFailed: the server refused it, or closed.
        """
        return await anext(self.answers(command))

    async def answers(self, command: Command) -> AsyncIterator[Event]:
        """All answers to a command, without an end; raises as ``ask``."""
        self._asked += 1
        await self._write(Request(self._asked, command))
        while True:
            for frame in await self._link.receive():
                for event in self._codec.decode_events(frame):
                    match event:
                        case Refused(_, refusal):
                            raise RoundFailed(f"The server refused: {refusal}")
                        case Closing(_, text):
                            raise RoundFailed(f"The server closed the link: {text}")
                        case Ping():
                            await self._write(Request(0, Pong()))
                        case _ if getattr(event, "id", 0) == self._asked:
                            yield event
                        case _:
                            pass  # a welcome, or mail

    async def log_in(self, username: str, *, create: bool) -> LoggedIn:
        """Log in; raises as ``ask``."""
        login = Login(username=username, password=PASSWORD, create=create)
        answer = await self.ask(login)
        if not isinstance(answer, LoggedIn):
            raise RoundFailed("The server answered a login with something else.")
        return answer

    async def create(self, username: str) -> None:
        """Make an account; raises as ``ask``."""
        await self.ask(Create(username, PASSWORD))

    async def _write(self, request: Request) -> None:
        await self._link.send([self._codec.encode_commands([request])])

    def abort(self) -> None:
        """End the link at once."""
        self._link.abort()


async def dial(round_: Round) -> Control:
    """Connect to the round's server.

    Raises:
        CannotConnect: nobody is there.
    """
    address = parse_address(round_.url)
    name = round_.contestant.codec
    link = await transport_for(address.scheme).dial(address, codec(name), _SETTINGS)
    return Control(link, name)
