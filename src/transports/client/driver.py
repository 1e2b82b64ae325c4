"""The coroutines around a client's protocol: they dial, read, write and wait.

``run`` keeps a link, whenever one is needed. Each call of the client waits here for
what the protocol tells of its commands.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final, assert_never

from chatcore.commands import Command, List, Logout, Send
from chatcore.errors import ChatError, CloseCode, Closed
from chatcore.events import Bounced, Delivered, Event, Expiring, Listed, Received
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.client.errors import ClientMisused, ProofFailed, SessionRefused
from transports.client.events import (
    Answer,
    ClientEnded,
    CommandAnswered,
    LinkDown,
    LinkEvent,
    LinkRejected,
    LinkUp,
    MailArrived,
    PageArrived,
    SessionEnded,
)
from transports.client.limits import LARGEST_FRAME
from transports.client.proofs import Proofs, ProofSource
from transports.client.protocol import ClientProtocol
from transports.client.states import ClientState
from transports.client.unsent import UnsentMessages
from transports.errors import CannotConnect, LinkClosed
from transports.registry import codec_on, dial
from transports.tls import ClientTls

_log = logging.getLogger(__name__)
_LOGOUT_WITHIN_S: Final = 2.0
_OTHER_LOOP: Final = (
    "This client was made in another event loop, perhaps by another asyncio.run: make "
    "one in each, or use connect_sync in code that does not await."
)


class _Call:
    """Somebody who waits until each of some commands is answered or refused."""

    __slots__ = ("answers", "changed", "missing")

    def __init__(self, commands: int) -> None:
        self.answers: dict[int, Answer] = {}
        self.missing = commands
        self.changed: asyncio.Future[None] | None = None

    def settle(self, command_id: int, answer: Answer) -> None:
        self.answers[command_id] = answer
        self.missing -= 1
        if not self.missing:
            self.wake()

    def wake(self) -> None:
        if self.changed is not None and not self.changed.done():
            self.changed.set_result(None)

    async def wait(self) -> None:
        """Return when all is answered, or a list has something to take."""
        self.changed = asyncio.get_running_loop().create_future()
        await self.changed


class ClientDriver:
    """Runs one client's protocol.

    Args:
        protocol: what it runs.
        codec: the name of the one to use, or None for each transport's best.
        on_received: see ``connect``.
        on_link: see ``connect``.
        tls: see ``connect``.
        proof: see ``connect``.

    Attributes:
        protocol: what it runs.
        proofs: what is shown of who the user is.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        codec: str | None,
        on_received: Callable[[Received], None],
        on_link: Callable[[LinkEvent], None],
        tls: ClientTls,
        proof: ProofSource | None,
    ) -> None:
        self.protocol = protocol
        self.proofs = Proofs(proof, self.ask)
        self._codec = codec
        self._on_received = on_received
        self._on_link = on_link
        self._settings = LinkSettings(
            frame_bytes=LARGEST_FRAME, later_frame_bytes=LARGEST_FRAME, client_tls=tls
        )
        self._calls: dict[int, _Call] = {}
        self._link: AwaitedLink | None = None
        self._taken_by: asyncio.Task[Any] | None = None
        self._to_write = asyncio.Event()
        self._asked = asyncio.Event()
        self._mail_changed = asyncio.Event()
        self._unsent = UnsentMessages()
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()

    # ---- calls

    async def ask(self, command: Command) -> Event:
        """Ask a command; its answer. Raises its refusal."""
        [answer] = await self.ask_all([command])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def ask_all(self, commands: Sequence[Command]) -> list[Answer]:
        """Ask commands together, in as few frames as hold them; what came of each."""
        self.check_loop()
        call = _Call(len(commands))
        now_s = time.monotonic()
        ids = [self.protocol.ask(it, now_s) for it in commands]
        for command_id in ids:
            self._calls[command_id] = call
        self._follow()
        try:
            if call.missing:
                await call.wait()
        finally:
            if call.missing:
                for command_id in ids:
                    self._abandon(command_id)
        return [call.answers[command_id] for command_id in ids]

    async def pages(self, command: List) -> AsyncGenerator[Listed]:
        """Ask a list; its pages, in order. Raises its refusal."""
        self.check_loop()
        command_id = self.protocol.ask(command, time.monotonic())
        call = self._calls[command_id] = _Call(1)
        self._follow()
        try:
            while True:
                page = self.protocol.take_page(command_id)
                if page is not None:
                    yield page
                elif call.missing:
                    self._wake_writer()  # a list that was cut is asked again
                    await call.wait()
                else:
                    break
        finally:
            self._abandon(command_id)
        if isinstance(error := call.answers[command_id], BaseException):
            raise error

    async def send_unsent(self) -> list[Answer]:
        """Ask again what ``unsent`` has; what came of each."""
        sends = self.unsent
        answers = await self.ask_all(sends) if sends else []
        # What ends again before it is answered is kept again.
        self._unsent.forget(sends, answers)
        return answers

    @property
    def unsent(self) -> Sequence[Send]:
        """Messages of the account that is logged in, that had no answer at an end."""
        opened = self.protocol.session
        return self._unsent.of(opened.account) if opened is not None else []

    def check_loop(self) -> None:
        """Refuse who would wait for ever.

        Raises:
            ClientMisused: another event loop runs than the one that it was made in.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise ClientMisused(_OTHER_LOOP)

    def _abandon(self, command_id: int) -> None:
        self._calls.pop(command_id, None)
        self.protocol.abandon(command_id)

    def take_mail(self) -> Delivered | Bounced | None:
        """See ``ClientProtocol.take_mail``."""
        mail = self.protocol.take_mail()
        self._taken_by = asyncio.current_task()
        self._wake_writer()
        return mail

    async def mail_changed(self) -> None:
        """Return when there may be mail, or none will come any more."""
        self.check_loop()
        self._mail_changed.clear()
        await self._mail_changed.wait()

    def acknowledge(self) -> None:
        """See ``ClientProtocol.acknowledge``."""
        self.protocol.acknowledge()
        self._wake_writer()

    def acknowledge_finished(self) -> None:
        """Acknowledge what was taken last, unless its task was cancelled or failed
        meanwhile, or is still at it: then it has to come again (M5).
        """
        task = self._taken_by
        if task is None:
            return
        is_done = task.done() and not task.cancelled() and task.exception() is None
        if is_done or task is asyncio.current_task():
            self.acknowledge()

    # ---- from the first link to the end

    async def opened(self) -> None:
        """Return once commands can flow; raises why they never will."""
        await asyncio.shield(self._opened)

    async def log_out(self) -> None:
        """End the session, where somebody can still answer."""
        protocol = self.protocol
        if protocol.session is None or protocol.state is not ClientState.OPEN:
            return
        try:
            async with asyncio.timeout(_LOGOUT_WITHIN_S):
                await self.ask(Logout())
        except (ChatError, TimeoutError) as error:
            _log.debug("The logout was not answered: %s", error)

    def renew(self) -> None:
        """Begin anew for a login, where what there was has ended, but by ``close``."""
        self.check_loop()
        if self.protocol.state is not ClientState.ENDED or self._is_closed:
            return
        self._follow()
        self.protocol = self.protocol.renewed(time.monotonic())
        self._asked.set()

    async def close(self) -> None:
        """End the client and its link."""
        self._is_closed = True
        self.proofs.end()
        link, self._link = self._link, None
        self.protocol.end(Closed(CloseCode.LINK_LOST, "This client was closed."))
        self._follow()
        if link is not None:
            await link.close(CloseCode.LINK_LOST, "")

    def drop_link(self) -> None:
        """End the link at once; the client tries another."""
        if self._link is not None:
            self._link.abort()

    async def run(self) -> None:
        """Keep a link to the server until cancelled, whenever one is needed."""
        while True:
            protocol = self.protocol
            if protocol.state in {ClientState.IDLE, ClientState.ENDED}:
                self._asked.clear()
                await self._asked.wait()
                continue
            if protocol.dial_after_s > 0:
                await asyncio.sleep(protocol.dial_after_s)
            try:
                # No session is resumed without, so nothing is lost by its time.
                proof = "" if protocol.session is None else await self.proofs.fetch()
                await self._converse(protocol, protocol.next_url(), proof)
            except (CannotConnect, LinkClosed, ProofFailed) as error:
                protocol.proof_failure = self.proofs.failure
                protocol.link_lost(
                    error,
                    now_s=time.monotonic(),
                    jitter=random.random(),  # noqa: S311  # jitter is no secret
                )
            self._link = None
            self._follow()

    async def _converse(self, protocol: ClientProtocol, url: str, proof: str) -> None:
        """Dial, then read and write until the link ends, which raises."""
        address = parse_address(url)
        codec = codec_on(address, self._codec)
        link = AwaitedLink(await dial(address, codec, self._settings))
        try:
            if protocol.state is ClientState.ENDED:
                return
            self._link = link
            protocol.link_opened(codec, proof)
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(protocol, link))
                ended = await self._read(protocol, link)
                writing.cancel()
        finally:
            link.abort()
        raise ended

    async def _read(self, protocol: ClientProtocol, link: AwaitedLink) -> LinkClosed:
        """Read until the link ends; how it did."""
        while True:
            try:
                frames = await link.receive()
            except LinkClosed as closed:
                return closed
            now_s = time.monotonic()
            for frame in frames:
                protocol.receive_frame(frame, now_s)
            self._follow()
            if protocol.is_link_over:
                return LinkClosed()

    async def _write(self, protocol: ClientProtocol, link: AwaitedLink) -> None:
        try:
            while True:
                await self._to_write.wait()
                self._to_write.clear()
                frames = protocol.frames_to_send()
                self._follow()
                if frames:
                    await link.send(frames)
        except LinkClosed:
            return  # reading has seen it too

    # ---- what the protocol tells

    def _wake_writer(self) -> None:
        if self.protocol.wants_to_write:
            self._to_write.set()

    def _follow(self) -> None:
        """Do what the protocol's events ask for, and have written what is due."""
        for event in self.protocol.take_events():
            match event:
                case CommandAnswered(command_id, answer):
                    call = self._calls.pop(command_id, None)
                    if call is not None:
                        call.settle(command_id, answer)
                case MailArrived() | SessionEnded():
                    self._mail_changed.set()
                case Received():
                    self._on_received(event)
                case Expiring(expires_in_ms):
                    self.proofs.renew(expires_in_ms)
                case PageArrived(command_id):
                    if (call := self._calls.get(command_id)) is not None:
                        call.wake()
                case LinkUp() | LinkDown():
                    if not self._opened.done():
                        self._opened.set_result(None)
                    self._on_link(event)
                case LinkRejected():
                    self._drop_rejected(event)
                case ClientEnded(failure):
                    self._end(failure)
                case _:
                    assert_never(event)
        if self.protocol.state is ClientState.DIALLING:
            self._asked.set()
        self._wake_writer()

    def _drop_rejected(self, event: LinkRejected) -> None:
        if isinstance(event.error, SessionRefused):
            code = event.error.refusal.code
            _log.info("The session is refused at %s, with %d", event.url, code)
        else:
            _log.warning("Giving up a link to %s: %s", event.url, event.error)
        self.drop_link()

    def _end(self, failure: ChatError) -> None:
        if (opened := self.protocol.session) is not None:
            self._unsent.keep(opened.account, self.protocol.unsent)
        self._mail_changed.set()
        self._asked.set()
        if not self._opened.done():
            self._opened.set_exception(failure)
            self._opened.exception()  # seen, also where nobody waits for it any more
        self.drop_link()
