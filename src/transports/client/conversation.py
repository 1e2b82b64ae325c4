"""One client's conversation with a server, over as many links as it takes (S3, M5).

A loop dials, reads and writes. When a link ends it dials again, the next URL each time,
resumes the session, and repeats what has no answer under the same keys. It gives up
when the server forbids to come back, or after ``give_up_s`` without an open session.
While nobody is logged in and nothing is asked it needs no link, and dials none.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from chatcore.commands import Login, Resume
from chatcore.errors import ChatError, CloseCode, Closed
from chatcore.events import Event
from chatcore.ids import Position, ResumeToken
from transports.base import (
    CannotConnect,
    Link,
    LinkClosed,
    LinkSettings,
    parse_address,
)
from transports.client.giving_up import LinkGivenUp
from transports.client.inbox import Inbox
from transports.client.key_generator import KeyGenerator
from transports.client.outgoing import Outgoing
from transports.client.pending_commands import PendingCommand, PendingCommands
from transports.client.phases import CLIENT_STATES, ClientState, ClientTrigger
from transports.client.reconnect import Attempts, ReconnectPolicy
from transports.client.welcome import LARGEST_FRAME
from transports.codec import BrokenFrame, Codec
from transports.registry import transport_for

_log = logging.getLogger(__name__)
_MOST_UNDER_WAY: Final = 1000
_GOODBYE_S: Final = 2.0
_SETTINGS: Final = LinkSettings(
    frame_bytes=LARGEST_FRAME, later_frame_bytes=LARGEST_FRAME
)


class Conversation:
    """The links of one client, and what is to be said on them.

    Attributes:
        phase: how far the current link is (see ``phases``).
        keys: makes idempotency keys on the server's clock.
        outstanding: commands that have no answer yet.
        outgoing: what waits to be written.
        inbox: the mail of the account that is logged in, or was last.
        token: what resumes the session; None while nobody is logged in.
        login: what to log in with again when the session is gone.
        last_words: the code and text that the server closed the link with.
        failure: why nothing can be asked any more.
    """

    def __init__(
        self,
        urls: Sequence[str],
        codec: Codec,
        reconnect: ReconnectPolicy | None,
        on_link: Callable[[bool, str], None],
        on_event: Callable[["Conversation", Event], None],
        keys: KeyGenerator,
    ) -> None:
        self._codec = codec
        self._reconnect = reconnect
        self._on_link = on_link
        self._on_event = on_event
        self._attempts = Attempts(urls, reconnect, time.monotonic())
        self._slots = asyncio.Semaphore(_MOST_UNDER_WAY)
        self._to_write = asyncio.Event()
        self._asked = asyncio.Event()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link: Link | None = None
        self._url = ""
        self._opened_s = 0.0
        self._asked_to_wait_s = 0.0
        self.phase = ClientState.DIALLING
        self.keys = keys
        self.pending_commands = PendingCommands()
        self.outgoing = Outgoing(codec, self.pending_commands)
        self.inbox = Inbox()
        self.mail_came = asyncio.Event()
        self.token: ResumeToken | None = None
        self.login: Login | None = None
        self.last_words: Closed | None = None
        self.failure: ChatError | None = None

    @property
    def may_redial(self) -> bool:
        """Whether a link that is given up is followed by another."""
        return self._reconnect is not None

    # ---- asking

    async def ask(self, pending: PendingCommand) -> Event:
        """Send a command and return its answer; raises its refusal."""
        async with self._slots:
            self.post(pending)
            return await pending.answer

    async def ask_all(
        self, commands: Sequence[PendingCommand]
    ) -> list[Event | BaseException]:
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

    def post(self, pending: PendingCommand) -> None:
        """Send a command; its answer comes to the ``pending``."""
        if self.failure is not None:
            raise self.failure
        if pending.answer.done():
            return  # it was refused before it was asked
        request = self.pending_commands.add(pending)
        if self.phase is ClientState.OPEN:
            self.outgoing.add([request])
            self._to_write.set()
        elif self.phase is ClientState.IDLE:
            self.step(ClientTrigger.ASKED)

    def wake(self) -> None:
        """Have written what is due: own requests, acknowledgements."""
        self._to_write.set()

    def acknowledge_handed(self) -> None:
        """Acknowledge all mail that was handed over."""
        self.inbox.acknowledge_handed()
        self._to_write.set()

    # ---- the phases

    def step(self, step: ClientTrigger) -> None:
        """Follow the table of phases."""
        self.phase = CLIENT_STATES[self.phase, step]
        if self.phase is ClientState.OPEN:
            self._opened_s = time.monotonic()
            self.outgoing.add(self.pending_commands.to_repeat(self.keys.make))
            self._to_write.set()
            if not self._opened.done():
                self._opened.set_result(None)
            self._on_link(True, self._url)  # noqa: FBT003  # up or down
        elif step is ClientTrigger.ASKED:
            self._asked.set()

    def end(self, failure: ChatError) -> None:
        """Give up: whoever waits is told why, and nothing can be asked any more."""
        if self.phase is ClientState.ENDED:
            return
        self.failure = failure
        self.step(ClientTrigger.ENDED)
        self.pending_commands.refuse_all(failure)
        self.mail_came.set()
        self._to_write.set()
        self._asked.set()
        if not self._opened.done():
            self._opened.set_exception(failure)
            self._opened.exception()  # seen, also where nobody waits for it any more
        if self._link is not None:
            self._link.abort()

    async def opened(self) -> None:
        """Return once commands can flow; raises why they never will."""
        await asyncio.shield(self._opened)

    async def close(self, goodbye: PendingCommand | None) -> None:
        """End it; a ``goodbye`` is asked first, where somebody can still answer."""
        if goodbye is not None and self.phase is ClientState.OPEN:
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
        """Keep a link to the server until the end, whenever one is needed."""
        attempts = self._attempts
        while not self._has_ended():
            self._url = attempts.next_url()
            self._asked_to_wait_s = 0.0
            code = CloseCode.LINK_LOST
            try:
                await self._converse(self._url)
            except CannotConnect as error:
                self._judge(error, None)
            except LinkClosed as error:
                closed = self.last_words or Closed(error.code, error.text)
                code = closed.code
                self._judge(error, closed)
            if self._has_ended():
                return
            now_s = time.monotonic()
            if self.phase is ClientState.OPEN:
                attempts.was_open(self._opened_s, now_s)
            self._lose_link()
            if self._is_idle:
                await self._until_asked()
                continue
            wait = attempts.wait_s(now_s, code=code, asked_s=self._asked_to_wait_s)
            if isinstance(wait, ChatError):
                self.end(wait)
            elif wait > 0:
                await asyncio.sleep(wait)

    def _has_ended(self) -> bool:
        return self.phase is ClientState.ENDED

    @property
    def _is_idle(self) -> bool:
        """Whether no link is needed, since nobody would say anything on it (B3)."""
        return (
            self._opened.done()
            and self.may_redial
            and self.token is None
            and not self.pending_commands.is_awaited
        )

    async def _until_asked(self) -> None:
        self._asked.clear()
        self.step(ClientTrigger.NOT_NEEDED)
        await self._asked.wait()
        self._attempts.restart(time.monotonic())

    def _judge(self, error: CannotConnect | LinkClosed, closed: Closed | None) -> None:
        """End the conversation, if this is no reason to dial again."""
        if closed is not None and not closed.code.may_reconnect:
            self.end(closed)
        elif not self._opened.done() and self._attempts.has_tried_all:
            # Nobody was reached in the first place.
            has_code = closed is not None and closed.code is not CloseCode.LINK_LOST
            self.end(closed if closed is not None and has_code else error)
        elif self._opened.done() and not self.may_redial:
            self.end(closed or Closed(CloseCode.LINK_LOST))

    def _lose_link(self) -> None:
        if self.phase is ClientState.OPEN:
            self._on_link(False, self._url)  # noqa: FBT003  # up or down
        self.step(ClientTrigger.LINK_LOST)
        self._link = None
        self.outgoing.begin()

    async def _converse(self, url: str) -> None:
        """Dial, then read and write until the link ends, which raises."""
        address = parse_address(url)
        transport = transport_for(address.scheme)
        self.last_words = None
        link = await transport.dial(address, self._codec, _SETTINGS)
        if self.phase is ClientState.ENDED:
            link.abort()
            return
        self._link = link
        self.step(ClientTrigger.LINKED)
        ended: LinkClosed | None = None
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write(link))
            try:
                await self._read(link)
            except LinkClosed as closed:
                ended = closed
            writing.cancel()
        link.abort()
        if ended is not None:
            raise ended

    async def _read(self, link: Link) -> None:
        while True:
            for frame in await link.receive():
                try:
                    self._take(frame)
                except (BrokenFrame, LinkGivenUp) as error:
                    raise self._given_up(error) from error

    def _take(self, frame: bytes) -> None:
        if len(frame) > LARGEST_FRAME:
            raise LinkGivenUp("A frame is larger than a client reads.")
        for event in self._codec.decode_events(frame):
            if self.phase is ClientState.ENDED:
                raise LinkClosed
            self._on_event(self, event)
        if self.phase is ClientState.OPEN and self.pending_commands.wants_new_clock:
            raise LinkGivenUp("Keys have to be made by the server's clock of now.")

    def _given_up(self, error: BrokenFrame | LinkGivenUp) -> LinkClosed:
        """Take note of why a link is given up, and end it."""
        if isinstance(error, LinkGivenUp) and error.refusal is not None:
            self._attempts.failure = error.refusal
            self._asked_to_wait_s = error.retry_after_s
            code = error.refusal.code
            _log.info("The session is refused at %s, with %d", self._url, code)
        else:
            _log.warning("Giving up a link to %s: %s", self._url, error)
        return LinkClosed(CloseCode.LINK_LOST, str(error))

    async def _write(self, link: Link) -> None:
        try:
            while True:
                await self._to_write.wait()
                self._to_write.clear()
                frames = self.outgoing.frames(
                    is_open=self.phase is ClientState.OPEN,
                    acknowledged=self._acknowledged,
                )
                if frames:
                    await link.send(frames)
        except LinkGivenUp as error:
            self._given_up(error)
            link.abort()
        except LinkClosed:
            return  # reading has seen it too

    @property
    def _acknowledged(self) -> Position | None:
        """Up to where mail of this link is acknowledged; None without a session."""
        if self.token is None:
            return None
        return min(self.inbox.acknowledged, self.inbox.follows)

    # ---- what the events of a session do here

    def resume(self) -> None:
        """Show the token on a new link."""
        if self.token is None:
            return
        self.inbox.prepare()
        delivery = self.login.delivery if self.login is not None else None
        self.outgoing.say(Resume(self.token, self.inbox.last_seen, delivery))
        self._to_write.set()

    def log_in_again(self, login: Login) -> None:
        """Open a new session for the account whose session is gone."""
        self.outgoing.say(login)
        self._to_write.set()

    def answer_ping(self) -> None:
        """Show life (S5)."""
        self.outgoing.owe_pong()
        self._to_write.set()

    def drop_link(self) -> None:
        """Give up the link, to try again on another."""
        if self._link is not None:
            self._link.abort()
