"""Our client library as a session: what an application pays, in a row of its own.

Tasks of this process read and send through ``transports.connect``, as an application
would. The library joins frames by itself, and acknowledges a message when the next one
is asked for.
"""

import asyncio
from collections.abc import Sequence

from chatbench.wire.base import Arrival, OnArrival, OnFault
from chatbench.wire.connection import CannotOpen
from chatbench.wire.lean import PASSWORD
from chatcore.errors import ChatError
from chatcore.events import Accepted
from transports import Client, connect


class LibrarySession:
    """See ``base.Session``.

    Attributes:
        frames_out: 0, as the library does not tell.
        frames_in: 0, for the same reason.
        waiting: messages that were queued when it logged in.
    """

    frames_out = 0
    frames_in = 0

    def __init__(self, on_arrival: OnArrival, on_fault: OnFault) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_arrival = on_arrival
        self._on_fault = on_fault
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._is_over = False
        self.waiting = 0

    async def open(self, url: str, codec_name: str, username: str) -> None:
        """Connect and log in.

        Raises:
            CannotOpen: the server refused, or is not there.
        """
        # The session outlives this call, and ends with ``close``: its owner is no
        # block that a task group could be.
        self._running = self._loop.create_task(self._run(url, codec_name, username))
        try:
            await self._opened
        except asyncio.CancelledError:
            self.close()
            raise

    async def _run(self, url: str, codec_name: str, username: str) -> None:
        try:
            async with connect(url, codec=codec_name, reconnect=None) as client:
                answer = await client.login(username, PASSWORD, create=True)
                self.waiting = answer.queued
                async with asyncio.TaskGroup() as tasks:
                    self._client, self._tasks = client, tasks
                    self._opened.set_result(None)
                    await asyncio.sleep(0)  # the caller first has its session
                    await self._read(client)
        except (ChatError, ExceptionGroup) as error:
            self._fail(_reason(error))

    async def _read(self, client: Client) -> None:
        async for message in client.messages():
            self._on_arrival(Arrival(0, (message.body,), message.position))

    def _fail(self, sentence: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._opened.done():
            self._on_fault(sentence)
        else:
            self._opened.set_exception(CannotOpen(sentence))

    # ---- base.Session

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``base.Session``; the library sends with the next turn of the loop."""
        self._tasks.create_task(self._send([(recipient, body) for body in bodies]))

    async def _send(self, messages: Sequence[tuple[str, str]]) -> None:
        answers = await self._client.send_all(messages)
        for answer in answers:
            if not isinstance(answer, Accepted):
                raise answer
        self._on_arrival(Arrival(len(answers), (), 0))

    def acknowledge(self, position: int) -> None:
        """See ``base.Session``: the library does so when asked for the next one."""

    def close(self) -> None:
        """See ``base.Session``."""
        self._is_over = True
        self._running.cancel()


def _reason(error: BaseException) -> str:
    """What went wrong first, in a sentence."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"The client library failed: {error}"
