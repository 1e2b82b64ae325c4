"""Unary and server-streaming calls, on the same session driver as every frame (W4).

A call is a command that waits for its answer. The calls of one session share one link
inside the server, made when the first begins and ended with the last: then the session
is detached, and lives its grace time. So limits, order and errors are those of the
driver and the domain, and nothing about a chat is decided here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from chatcore.errors import (
    CloseCode,
    MalformedCommand,
    Refusal,
    refusal_from_wire,
)
from transports.base import LinkClosed, ServeLink, Spawn
from transports.codec import codec
from transports.codec._generated import chat_pb2 as pb
from transports.pair import PairedLink

Answers: TypeAlias = "asyncio.Queue[pb.Event | LinkClosed]"


class Calls:
    """The calls of one session, or of one peer that has none, on one inner link."""

    def __init__(self, link: PairedLink) -> None:
        self._link = link
        self._waiting: dict[int, Answers] = {}
        self._mail: list[Answers] = []
        self._last_id = 0
        self._end: LinkClosed | None = None
        self.users = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing can be asked here any more."""
        return self._end is not None

    async def read(self) -> None:
        """Hand each event to the call that waits for it, until the link ends."""
        try:
            while True:
                for frame in await self._link.receive():
                    for event in pb.ServerFrame.FromString(frame).events:
                        await self._take(event)
        except LinkClosed as closed:
            self._end = self._end or closed
        for answers in [*self._waiting.values()]:
            answers.put_nowait(self._end)

    async def _take(self, event: pb.Event) -> None:
        kind = event.WhichOneof("event")
        if kind == "ping":
            await self.tell(pb.Command(pong=pb.Pong()))
        elif kind == "closing":
            closing = event.closing
            known = closing.code in set(CloseCode)
            code = CloseCode(closing.code) if known else CloseCode.LINK_LOST
            self._end = LinkClosed(code, closing.text)
        elif kind in ("delivered", "bounced"):
            for answers in self._mail:
                answers.put_nowait(event)
        elif event.id in self._waiting:
            self._waiting[event.id].put_nowait(event)

    async def tell(self, *commands: pb.Command) -> None:
        """Write commands, in one frame."""
        await self._link.send([pb.ClientFrame(commands=commands).SerializeToString()])

    @asynccontextmanager
    async def ask(
        self,
        command: pb.Command,
        *,
        mail: bool = False,
        behind: Sequence[pb.Command] = (),
    ) -> AsyncIterator[Callable[[], Awaitable[pb.Event]]]:
        """Ask for something; yields what waits for the next event of it.

        With ``mail`` what is delivered meanwhile comes too; ``behind`` follows in the
        same frame, under the same id.

        Raises (from what is yielded):
            Refusal: the command was refused.
            LinkClosed: the session has ended.
        """
        self._last_id += 1
        command.id = self._last_id
        answers: Answers = asyncio.Queue()
        self._waiting[command.id] = answers
        if mail:
            self._mail.append(answers)
        try:
            for follower in behind:
                follower.id = command.id
            await self.tell(command, *behind)
            yield lambda: self._next(answers)
        finally:
            del self._waiting[command.id]
            if mail:
                self._mail.remove(answers)

    async def _next(self, answers: Answers) -> pb.Event:
        event = await answers.get()
        if isinstance(event, LinkClosed):
            raise event
        if event.WhichOneof("event") == "refused":
            raise refusal_of(event.refused)
        return event

    async def acknowledge(self, command: pb.Command) -> None:
        """Acknowledge; returns when it was valid, and raises why it was not.

        A valid one has no answer (W7), so an empty command goes behind it under the
        same id: it is always refused, and when its refusal comes first, all is well.
        """
        async with self.ask(command, behind=[pb.Command()]) as answered:
            try:
                await answered()
            except MalformedCommand:
                return

    def finish(self) -> None:
        """End the link: the session is detached, until the next call resumes it."""
        self._end = self._end or LinkClosed()
        self._link.abort()


class Sessions:
    """The calls that run, by the token of their session."""

    def __init__(self, serve_link: ServeLink, spawn: Spawn, frame_bytes: int) -> None:
        self._serve_link = serve_link
        self._spawn = spawn
        self._frame_bytes = frame_bytes
        self._by_token: dict[bytes, asyncio.Future[Calls]] = {}

    @asynccontextmanager
    async def use(self, token: bytes, peer: str) -> AsyncIterator[Calls]:
        """What a call asks on: its session's link, or with no token one of its own.

        Raises:
            Refusal: the token resumes nothing.
        """
        calls = await (self._of_token(token, peer) if token else self._open(peer))
        calls.users += 1
        try:
            yield calls
        finally:
            calls.users -= 1
            if calls.users == 0:
                self._by_token.pop(token, None)
                calls.finish()

    async def _of_token(self, token: bytes, peer: str) -> Calls:
        opening = self._by_token.get(token)
        if opening is None or (opening.done() and _is_unusable(opening)):
            opening = asyncio.get_running_loop().create_future()
            self._by_token[token] = opening
            try:
                opening.set_result(await self._resume(token, peer))
            except (Refusal, LinkClosed) as error:
                self._by_token.pop(token, None)
                opening.set_exception(error)
        return await asyncio.shield(opening)

    async def _resume(self, token: bytes, peer: str) -> Calls:
        calls = await self._open(peer)
        resume = pb.Resume(token=token, delivery=pb.DELIVERY_MODE_MANUAL)
        try:
            async with calls.ask(pb.Command(resume=resume)) as answered:
                await answered()
        except (Refusal, LinkClosed):
            calls.finish()
            raise
        return calls

    async def _open(self, peer: str) -> Calls:
        ours, theirs = PairedLink.make(peer, self._frame_bytes)
        calls = Calls(theirs)
        self._spawn(self._serve(ours))
        self._spawn(calls.read())
        return calls

    async def _serve(self, link: PairedLink) -> None:
        await self._serve_link(link, codec("protobuf"))


def _is_unusable(opening: "asyncio.Future[Calls]") -> bool:
    return opening.exception() is not None or opening.result().has_ended


def refusal_of(refused: pb.Refused) -> Refusal:
    """The refusal that an event carries."""
    return refusal_from_wire(refused.code, refused.text, refused.fields)
