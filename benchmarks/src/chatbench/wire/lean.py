"""The session that loads a chat: a lean codec over a wire.

Logging in is left to the chat's own codec, and so is whatever a load does not count.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from chatbench.cells import Framing
from chatbench.wire.base import OnArrival, OnFault
from chatbench.wire.codecs import lean_codec
from chatbench.wire.connection import CannotOpen, Wire
from chatbench.wire.writing import SendWriter
from chatcore.commands import Login, Pong, Request
from chatcore.errors import ChatError
from chatcore.events import Closing, LoggedIn, Ping, Refused, Welcome
from transports.codec import codec

PASSWORD: Final = "correct horse"  # noqa: S105  # of accounts that live for a round
_LOGIN_ID: Final = 0
_LOGIN_S: Final = 30.0


class LeanSession:
    """See ``base.Session``.

    Attributes:
        waiting: messages that were queued when it logged in.
        token: what resumes it.
    """

    _wire: Wire

    def __init__(
        self,
        codec_name: str,
        framing: Framing,
        on_arrival: OnArrival,
        on_fault: OnFault,
    ) -> None:
        self._lean = lean_codec(codec_name)
        self._full = codec(codec_name)
        self._sends = SendWriter(self._lean, framing)
        self._on_arrival = on_arrival
        self._on_fault = on_fault
        self._logged_in: asyncio.Future[LoggedIn] = (
            asyncio.get_running_loop().create_future()
        )
        self._early: list[bytes] | None = []
        self._is_over = False
        self.frames_out = 0
        self.frames_in = 0
        self.waiting = 0
        self.token = b""

    # ---- opening

    async def log_in(self, wire: Wire, username: str) -> None:
        """Log in over ``wire``, whose frames and end are told to this session.

        What arrives is held back until the caller waits for something else, so that
        nothing arrives at a session that nobody has yet.

        Raises:
            CannotOpen: the server refused, or has gone.
        """
        self._wire = wire
        login = Login(username=username, password=PASSWORD, create=True)
        wire.write([self._full.encode_commands([Request(_LOGIN_ID, login)])])
        try:
            async with asyncio.timeout(_LOGIN_S):
                answer = await self._logged_in
        except TimeoutError as error:
            raise CannotOpen("The server does not answer the login.") from error
        finally:
            if not self._logged_in.done() or self._logged_in.cancelled():
                self.close()
        self.waiting = answer.queued
        self.token = answer.token
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        early, self._early = self._early or [], None
        if early and not self._is_over:
            self.take(early)

    # ---- the wire's callbacks

    def take(self, frames: Sequence[bytes]) -> None:
        """Count what frames brought."""
        if self._early is not None:
            self._hold(frames)
            return
        self.frames_in += len(frames)
        try:
            arrival, has_others = self._lean.read(frames)
        except ValueError as error:
            self.fail(f"A frame of the server cannot be read: {error}.")
            return
        if has_others:
            self._look_into(frames)
        if arrival.receipts or arrival.bodies:
            self._on_arrival(arrival)

    def fail(self, sentence: str) -> None:
        """Tell why the load has failed, or why there is no session."""
        if self._is_over:
            return
        self._is_over = True
        if self._logged_in.done():
            self._on_fault(sentence)
        else:
            self._logged_in.set_exception(CannotOpen(sentence))

    def _hold(self, frames: Sequence[bytes]) -> None:
        """Keep frames, from the one of the login on."""
        for frame in frames:
            if not self._logged_in.done():
                self._look_into([frame])
            if self._early is not None and self._logged_in.done():
                self._early.append(frame)

    def _look_into(self, frames: Sequence[bytes]) -> None:
        """See to the events that are neither receipt nor delivery."""
        try:
            events = [it for frame in frames for it in self._full.decode_events(frame)]
        except ChatError as error:
            self.fail(str(error))
            return
        for event in events:
            match event:
                case LoggedIn() if not self._logged_in.done():
                    self._logged_in.set_result(event)
                case Welcome():
                    self._sends.frame_bytes = event.frame_bytes
                case Ping():
                    self._write([self._full.encode_commands([Request(0, Pong())])])
                case Refused(_, refusal):
                    self.fail(f"The server refused: {refusal}")
                case Closing(code, text):
                    self.fail(f"The server closed the link: [{int(code)}] {text}")
                case _:
                    pass  # what a load does not ask for

    # ---- base.Session

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``base.Session``.

        Single frames go out in one write to the socket as well: what differs is the
        number of frames, not of packets.
        """
        self._write(self._sends.frames(recipient, bodies))

    def acknowledge(self, position: int) -> None:
        """See ``base.Session``."""
        self._write([self._lean.acknowledge(position)])

    def _write(self, frames: Sequence[bytes]) -> None:
        self.frames_out += len(frames)
        self._wire.write(frames)

    def close(self) -> None:
        """See ``base.Session``."""
        self._is_over = True
        self._wire.abort()
