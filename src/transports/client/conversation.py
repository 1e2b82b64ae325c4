"""One client's conversation with a server, over as many links as it takes (S3, M5).

A loop dials, reads and writes. When a link ends it dials again, the next URL each time,
resumes the session, and repeats what has no answer under the same keys. It gives up
when the server forbids to come back, or after ``give_up_s`` without an open session.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chatcore.commands import Acknowledge, Login, Pong, Request, Resume
from chatcore.errors import ChatError, CloseCode, Closed, MalformedCommand
from chatcore.events import Event
from chatcore.ids import ResumeToken
from chatcore.limits import KIB, MIB
from transports.base import (
    CannotConnect,
    Link,
    LinkClosed,
    LinkSettings,
    parse_address,
)
from transports.client.inbox import Inbox, MailMissing
from transports.client.outstanding import Outstanding, Pending
from transports.client.phases import PHASES, Phase, Step
from transports.codec import BrokenFrame, Codec, ItemTooLarge, split_commands
from transports.registry import transport_for

_log = logging.getLogger(__name__)
_MOST_UNDER_WAY: Final = 1000
_GOODBYE_S: Final = 2.0
_STEADY_S: Final = 1.0
_LARGEST_FRAME: Final = 16 * MIB
"""What is read of a server, whatever its operator has set; it tells its own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnecting:
    """When to come back after a link was lost: exponential backoff with full jitter."""

    first_delay_s: float = 0.05
    longest_delay_s: float = 5.0
    give_up_s: float = 60.0

    def delay_s(self, attempt: int) -> float:
        """How long to wait before the attempt of this number, from 0."""
        longest_s = min(
            self.longest_delay_s, self.first_delay_s * 2.0 ** min(attempt, 30)
        )
        return random.uniform(0.0, longest_s)  # noqa: S311  # jitter is no secret


class Conversation:
    """The links of one client, and what is to be said on them.

    Attributes:
        frame_bytes: the largest frame that the server reads.
        body_bytes: the largest body that it accepts.
        phase: how far the current link is (see ``phases``).
        outstanding: commands that have no answer yet.
        inbox: the mail of the account that is logged in, or was last.
        token: what resumes the session; None while nobody is logged in.
        login: what to log in with again when the session is gone.
        own_requests: what has to be said before any command: resume, pong.
        last_words: the code and text that the server closed the link with.
        failure: why nothing can be asked any more.
    """

    def __init__(
        self,
        urls: Sequence[str],
        codec: Codec,
        reconnecting: Reconnecting | None,
        on_link: Callable[[bool, str], None],
        on_event: Callable[["Conversation", Event], None],
    ) -> None:
        self._urls = list(urls)
        self._codec = codec
        self._reconnecting = reconnecting
        self._on_link = on_link
        self._on_event = on_event
        self._settings = LinkSettings(frame_bytes=_LARGEST_FRAME)
        self._slots = asyncio.Semaphore(_MOST_UNDER_WAY)
        self._unsent: list[Request] = []
        self._to_write = asyncio.Event()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link: Link | None = None
        self._acknowledged_here = 0
        self._attempt = 0
        self._opened_s = 0.0
        self.frame_bytes = MIB
        self.body_bytes = 64 * KIB
        self.phase = Phase.DIALLING
        self.outstanding = Outstanding()
        self.inbox = Inbox()
        self.mail_came = asyncio.Event()
        self.token: ResumeToken | None = None
        self.login: Login | None = None
        self.own_requests: list[Request] = []
        self.last_words: Closed | None = None
        self.failure: ChatError | None = None

    # ---- asking

    async def ask(self, pending: Pending) -> Event:
        """Send a command and return its answer; raises its refusal."""
        async with self._slots:
            self.post(pending)
            return await pending.answer

    async def ask_all(self, commands: Sequence[Pending]) -> list[Event | BaseException]:
        """Send commands together, as few frames as they fit in; their answers."""
        answers: list[Event | BaseException] = []
        half = _MOST_UNDER_WAY // 2
        for start in range(0, len(commands), half):
            some = commands[start : start + half]
            async with self._slots:
                for pending in some:
                    self.post(pending)
                answers += await asyncio.gather(
                    *(it.answer for it in some), return_exceptions=True
                )
        return answers

    def post(self, pending: Pending) -> None:
        """Send a command; its answer comes to the ``pending``."""
        if self.failure is not None:
            raise self.failure
        if pending.answer.done():
            return  # it was refused before it was asked
        request = self.outstanding.add(pending)
        if self.phase is Phase.OPEN:
            pending.was_sent = True
            self._unsent.append(request)
            self._to_write.set()

    def wake(self) -> None:
        """Have written what is due: own requests, acknowledgements."""
        self._to_write.set()

    def acknowledge_handed(self) -> None:
        """Acknowledge all mail that was handed over."""
        self.inbox.acknowledge_handed()
        self._to_write.set()

    # ---- the phases

    def step(self, step: Step) -> None:
        """Follow the table of phases."""
        self.phase = PHASES[self.phase, step]
        if self.phase is Phase.OPEN:
            self._opened_s = time.monotonic()
            self._acknowledged_here = 0
            self._unsent = list(self.outstanding.to_repeat())
            self._to_write.set()
            if not self._opened.done():
                self._opened.set_result(None)

    def end(self, failure: ChatError) -> None:
        """Give up: whoever waits is told why, and nothing can be asked any more."""
        if self.phase is Phase.ENDED:
            return
        self.failure = failure
        self.step(Step.ENDED)
        self.outstanding.refuse_all(failure)
        self.mail_came.set()
        self._to_write.set()
        if not self._opened.done():
            self._opened.set_exception(failure)
            self._opened.exception()  # seen, also where nobody waits for it any more
        if self._link is not None:
            self._link.abort()

    async def opened(self) -> None:
        """Return once commands can flow; raises why they never will."""
        await asyncio.shield(self._opened)

    async def close(self, goodbye: Pending | None) -> None:
        """End it; a ``goodbye`` is asked first, where somebody can still answer."""
        if goodbye is not None and self.phase is Phase.OPEN:
            try:
                async with asyncio.timeout(_GOODBYE_S):
                    await self.ask(goodbye)
            except (ChatError, TimeoutError) as error:
                _log.debug("The goodbye was not answered: %s", error)
        link, self._link = self._link, None
        self.end(Closed(CloseCode.LINK_LOST, "This client was closed."))
        if link is not None:
            await link.close(CloseCode.LINK_LOST, "")

    # ---- links

    async def run(self) -> None:
        """Keep a link to the server until the end."""
        lost_at_s = time.monotonic()
        tried = 0
        while self.phase is not Phase.ENDED:
            url = self._urls[tried % len(self._urls)]
            tried += 1
            try:
                await self._converse(url)
            except (CannotConnect, LinkClosed) as error:
                if not self._may_go_on(error, tried):
                    return
            if self.phase is Phase.OPEN:
                lost_at_s = time.monotonic()
                # A link that is lost as soon as it is open is no reason to hurry.
                if lost_at_s - self._opened_s > _STEADY_S:
                    self._attempt = 0
            self._lose_link(url)
            if self._reconnecting is not None:
                if time.monotonic() - lost_at_s > self._reconnecting.give_up_s:
                    self.end(Closed(CloseCode.LINK_LOST))
                elif tried % len(self._urls) == 0 or self._attempt > 0:
                    await asyncio.sleep(self._reconnecting.delay_s(self._attempt))
                self._attempt += 1

    def _may_go_on(self, error: CannotConnect | LinkClosed, tried: int) -> bool:
        """Whether to dial again after this; ends the conversation if not."""
        if self.phase is Phase.ENDED:
            return False
        refused = self.last_words
        if refused is None and isinstance(error, LinkClosed):
            refused = Closed(error.code, error.text)
        if refused is not None and not refused.code.may_reconnect:
            self.end(refused)
        elif not self._opened.done() and tried >= len(self._urls):
            self.end(error)  # nobody was reached in the first place
        elif self._opened.done() and self._reconnecting is None:
            self.end(refused or Closed(CloseCode.LINK_LOST))
        return self.failure is None

    def _lose_link(self, url: str) -> None:
        if self.phase is Phase.OPEN:
            self._on_link(False, url)  # noqa: FBT003  # up or down
        if self.phase is not Phase.ENDED:
            self.step(Step.LINK_LOST)
        self._link = None
        self.own_requests = []
        self._unsent = []

    async def _converse(self, url: str) -> None:
        """Dial, then read and write until the link ends, which raises."""
        address = parse_address(url)
        transport = transport_for(address.scheme)
        self.last_words = None
        link = await transport.dial(address, self._codec, self._settings)
        if self.phase is Phase.ENDED:
            link.abort()
            return
        self._link = link
        self.step(Step.LINKED)
        ended: LinkClosed | None = None
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write(link))
            try:
                await self._read(link, url)
            except LinkClosed as closed:
                ended = closed
            writing.cancel()
        link.abort()
        if ended is not None:
            raise ended

    async def _read(self, link: Link, url: str) -> None:
        while True:
            was_open = self.phase is Phase.OPEN
            for frame in await link.receive():
                try:
                    for event in self._codec.decode_events(frame):
                        self._on_event(self, event)
                except (BrokenFrame, MailMissing) as error:
                    _log.warning("Giving up a link to %s: %s", url, error)
                    raise LinkClosed(CloseCode.LINK_LOST, str(error)) from error
            if not was_open and self.phase is Phase.OPEN:
                self._on_link(True, url)  # noqa: FBT003  # up or down

    async def _write(self, link: Link) -> None:
        try:
            while True:
                await self._to_write.wait()
                self._to_write.clear()
                frames = self._encode(self._due())
                if frames:
                    await link.send(frames)
        except LinkClosed:
            return  # reading has seen it too

    def _encode(self, requests: list[Request]) -> list[bytes]:
        """Frames for these; what fits into none is refused here, and told so."""
        while True:
            try:
                return split_commands(self._codec, requests, self.frame_bytes)
            except ItemTooLarge as too_large:
                requests = [it for it in requests if it is not too_large.item]
                if isinstance(too_large.item, Request):
                    refusal = MalformedCommand(reason=str(too_large))
                    self.outstanding.refuse(too_large.item.id, refusal)

    def _due(self) -> list[Request]:
        """All that can be said now: own requests first, then what callers asked."""
        requests, self.own_requests = self.own_requests, []
        if self.phase is not Phase.OPEN:
            return requests
        if self.token is not None:
            position = min(self.inbox.acknowledged, self.inbox.follows)
            if position > self._acknowledged_here:
                self._acknowledged_here = position
                requests.append(Request(0, Acknowledge(position)))
        requests += self._unsent
        self._unsent = []
        return requests

    # ---- what the events of a session do here

    def resume(self) -> None:
        """Show the token on a new link."""
        if self.token is not None:
            self.own_requests.append(
                Request(
                    0,
                    Resume(
                        self.token,
                        self.inbox.last_seen,
                        self.login.delivery if self.login is not None else None,
                    ),
                )
            )
            self._to_write.set()

    def log_in_again(self) -> None:
        """Open a new session for the account whose session is gone."""
        if self.login is not None:
            self.own_requests.append(Request(0, self.login))
            self._to_write.set()

    def answer_ping(self) -> None:
        """Show life (S5)."""
        self.own_requests.append(Request(0, Pong()))
        self._to_write.set()

    def drop_link(self) -> None:
        """Give up the link, to try again on another."""
        if self._link is not None:
            self._link.abort()
