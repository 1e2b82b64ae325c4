"""One account of the replay, which comes online and goes offline again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from chatapp.demo.audit import DeliveryAudit
from chatapp.demo.display import ReplayDisplay
from transports import Client, connect
from transports.base import parse_address
from transports.registry import transport_for

PASSWORD: Final = "a password for the demo"  # noqa: S105  # it protects nothing
_HEAR_S: Final = 60.0


def codec_on(url: str, codec: str) -> str:
    """The codec to use on a URL: this one, or what its transport carries instead."""
    carried = transport_for(parse_address(url).scheme).codecs
    return codec if codec in carried else carried[0]


class Person:
    """Has at most one session at a time, and writes down all that it hears.

    Attributes:
        scenes: how many of its conversations are under way.
    """

    def __init__(
        self,
        name: str,
        url: str,
        codec: str,
        audit: DeliveryAudit,
        display: ReplayDisplay,
    ) -> None:
        self.name = name
        self.scenes = 0
        self._url = url
        self._codec = codec
        self._audit = audit
        self._display = display
        self._changing = asyncio.Lock()
        self._needed_by = 0
        self._client: Client | None = None
        self._leave = asyncio.Event()
        self._session: asyncio.Task[None] | None = None
        self._waiting: dict[str, tuple[int, asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def online(self, tasks: asyncio.TaskGroup) -> AsyncIterator[Client]:
        """Be online while the block runs; stay so until ``leave``."""
        self._needed_by += 1
        try:
            async with self._changing:
                client = self._client or await self._come(tasks)
            yield client
        finally:
            self._needed_by -= 1

    async def leave(self) -> None:
        """Log out, unless somebody needs this person online now."""
        async with self._changing:
            if self._client is None or self._needed_by or self._session is None:
                return
            self._client = None
            self._leave.set()
            await self._session
            self._display.left(self.name)

    async def hear_all_from(self, sender: str) -> None:
        """Return once all that ``sender`` has in this mailbox was heard.

        After a minute it returns all the same: then the audit shows what is lost.
        """
        stored = self._audit.stored(sender, self.name)
        if self._audit.heard(sender, self.name) >= stored:
            return
        heard = asyncio.get_running_loop().create_future()
        self._waiting[sender] = (stored, heard)
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEAR_S):
                await heard
        del self._waiting[sender]

    async def _come(self, tasks: asyncio.TaskGroup) -> Client:
        came: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._leave.clear()
        self._session = tasks.create_task(self._stay(came))
        self._client = await came
        return self._client

    async def _stay(self, came: asyncio.Future[Client]) -> None:
        """One session, from login to logout."""
        async with connect(self._url, codec=self._codec) as client:
            login = await client.login(self.name, PASSWORD)
            head = login.acknowledged + login.queued
            self._display.came(self.name, queued=login.queued)
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear(client, head))
                if not came.done():  # whoever wanted it may have been cancelled
                    came.set_result(client)
                await self._leave.wait()
                # What is not heard by now stays in the mailbox, for the next session.
                hearing.cancel()
            await client.logout()

    async def _hear(self, client: Client, head: int) -> None:
        """Write down each message; asking for the next acknowledges it."""
        name, audit = self.name, self._audit
        async for message in client.messages():
            from_queue = message.position <= head
            sender = message.sender
            audit.note_heard(
                sender, name, message.position, message.body, from_queue=from_queue
            )
            self._display.heard(message, name, from_queue=from_queue)
            if sender in self._waiting:
                stored, heard = self._waiting[sender]
                if audit.heard(sender, name) >= stored and not heard.done():
                    heard.set_result(None)
