"""The calls of one session, on the same session driver as every frame (W4).

A call is a command that waits for its answer. All calls of a session share one link
inside the server, so limits, order and errors are those of the driver and the domain,
and nothing about a chat is decided here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from chatcore.errors import Busy, MalformedCommand
from chatcore.limits import MIB
from transports.awaited_link import AwaitedLink
from transports.base import Spawn
from transports.codec._generated import chat_pb2 as pb
from transports.codec.protobuf_events import close_code
from transports.errors import LinkClosed, frame_too_large
from transports.grpc.answers import Answers, CommandRefused, UnacknowledgedMail
from transports.grpc.requests import refused
from transports.memory_pipe import MemoryPipe

_MOST_TOLD_BYTES: Final = MIB
"""What waits for a session that reads no more commands (W8), beyond those it has."""
_RETRY_AFTER_MS: Final = 1000


class Calls:
    """The calls of one session, or one call of a peer that has none.

    Attributes:
        token: what names them; empty without a session.
        users: how many calls run.
    """

    def __init__(
        self, link: MemoryPipe, spawn: Spawn, frame_bytes: int, token: bytes
    ) -> None:
        self._link = AwaitedLink(link)
        self._spawn = spawn
        self._frame_bytes = frame_bytes
        self._waiting: dict[int, Answers] = {}
        self._mail = UnacknowledgedMail()
        self._last_id = 0
        self._told_bytes = 0
        self._opened = asyncio.Event()
        self._failure: CommandRefused | LinkClosed | None = None
        self.token = token
        self.users = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing can be asked here any more."""
        return self._failure is not None

    # ---- the link

    async def open(self, proof: str) -> None:
        """Resume the session of the token; without one there is nothing to do.

        It runs beside the calls, so that the end of the first harms no other.
        """
        # Mail comes when a call asks for it: else there is nobody to push to.
        resume = pb.Resume(
            token=self.token, delivery=pb.DELIVERY_MODE_MANUAL, proof=proof
        )
        try:
            if self.token:
                async with self.ask(pb.Command(resume=resume)) as answers:
                    await answers.next()
        except (CommandRefused, LinkClosed) as failure:
            self._failure = failure
        finally:
            self._opened.set()

    async def opened(self) -> None:
        """Return once the session is attached; raises ``CommandRefused`` if not."""
        await self._opened.wait()
        if self._failure is not None:
            raise self._failure

    async def read(self) -> None:
        """Hand each event to the call that waits for it, until the link ends."""
        end = LinkClosed()
        try:
            while True:
                for frame in await self._link.receive():
                    for event in pb.ServerFrame.FromString(frame).events:
                        if event.WhichOneof("event") == "closing":
                            closing = event.closing
                            end = LinkClosed(close_code(closing.code), closing.text)
                            self._failure = end
                        await self._hand_over(event)
        except LinkClosed:
            pass  # nothing more comes, and ``end`` says why
        finally:
            self._failure = self._failure or end
            for answers in self._waiting.values():
                answers.end(end)

    async def _hand_over(self, event: pb.Event) -> None:
        match event.WhichOneof("event"):
            case "ping":
                # A call runs, so its peer is alive: gRPC itself sees to that. Not
                # awaited, since the link may be clogged by calls that wait for us.
                self._spawn(self._pong())
            case "delivered" | "bounced":
                self._mail.put(event)
            case "started" if event.id in self._waiting:
                answers = self._waiting[event.id]
                if answers.wants_mail:
                    self._mail.begin(answers)
            case "listed" if event.id in self._waiting:
                await self._waiting[event.id].put_page(event)
            case _ if event.id in self._waiting:
                self._waiting[event.id].put(event)
            case _:
                pass  # a call that has gone, or what nobody has asked for

    async def _pong(self) -> None:
        with suppress(CommandRefused):  # then what waits shows life as well
            await self._tell(pb.Command(pong=pb.Pong()))

    async def _tell(self, *commands: pb.Command) -> None:
        """Write commands; when the link is gone, ``read`` learns why and says so.

        Raises:
            LinkClosed: they are too large for a frame.
            CommandRefused: too much waits to be read already.
        """
        frame = pb.ClientFrame(commands=commands).SerializeToString()
        if len(frame) > self._frame_bytes:
            # Refused before it ends the link, which is not this call's alone.
            raise frame_too_large(self._frame_bytes)
        if self._told_bytes and self._told_bytes + len(frame) > _MOST_TOLD_BYTES:
            raise refused(Busy(retry_after_ms=_RETRY_AFTER_MS))
        self._told_bytes += len(frame)
        try:
            with suppress(LinkClosed):
                await self._link.send([frame])
        finally:
            self._told_bytes -= len(frame)

    def finish(self) -> None:
        """End the link: the session is detached, until the next call resumes it."""
        self._failure = self._failure or LinkClosed()
        self._link.abort()

    # ---- the calls

    @asynccontextmanager
    async def ask(
        self,
        command: pb.Command,
        *,
        mail: bool = False,
        behind: Sequence[pb.Command] = (),
    ) -> AsyncIterator[Answers]:
        """Ask for something; yields what comes of it.

        With ``mail``, once it has started, what this link has delivered without an
        acknowledgement comes first (another call may have ended before it was read),
        and then what is delivered meanwhile. ``behind`` follows in the same frame,
        under the same id.
        """
        if self._failure is not None:
            raise self._failure
        self._last_id += 1
        command_id = self._last_id
        answers = self._waiting[command_id] = Answers(wants_mail=mail)
        for each in (command, *behind):
            each.id = command_id
        try:
            await self._tell(command, *behind)
            yield answers
        finally:
            del self._waiting[command_id]
            self._mail.leave(answers)

    async def acknowledge(self, command: pb.Acknowledge) -> None:
        """Acknowledge; returns when it was valid, and raises why it was not.

        A valid one has no answer (W7), so an empty command goes behind it under the
        same id: it is always refused, and when its refusal comes first, all is well.
        """
        asked = pb.Command(acknowledge=command)
        asked.acknowledge.SetInParent()
        async with self.ask(asked, behind=[pb.Command()]) as answers:
            try:
                await answers.next()
            except CommandRefused as declined:
                if declined.refused.code != MalformedCommand.code:
                    raise
        self._mail.forget(command.position)
