"""The client for code that does not await: threads, Django's views, Celery, notebooks.

An event loop runs in a thread of its own, and each call waits for its outcome there.
anyio's blocking portal does the same, and keeps a program from ending that has
forgotten to close it.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self, TypeVar

from chatcore.commands import DeliveryMode, InboxAction, OutboxAction, Send
from chatcore.errors import CloseCode, Closed, Refusal
from chatcore.events import Accepted, Bounced, Delivered, LoggedIn, Received
from chatcore.ids import AccountId, IdempotencyKey, Username
from chatcore.model import DeletionReceipt
from transports.client.client import Client, ListedAccount
from transports.client.connect import DEFAULT_RECONNECTING, connect
from transports.client.errors import ClientMisused
from transports.client.events import LinkEvent
from transports.client.proofs import ProofSource
from transports.client.reconnect import ReconnectPolicy
from transports.context_task import ContextTask
from transports.tls import SYSTEM_TRUST, ClientTls

T = TypeVar("T")

_NOT_OPEN: Final = "This client is not open: call open(), or use it in a with block."
_FORKED: Final = (
    "This client was opened in another process: open one in each, after the fork."
)
_WITHIN_ITSELF: Final = (
    "This client is asked in its own thread, from on_received or on_link, and would "
    "wait for itself."
)


class SyncClient:
    """One user's end of a chat, for code that waits; threads may share it.

    Its methods are those of ``Client``, and raise the same::

        with connect_sync("tcp://127.0.0.1:7400") as client:
            client.login("ada", "correct horse")
            receipt = client.send("bob", "hello")
            for message in client.messages(within_s=5):
                print(message.sender, message.body)

    In a notebook ``client.open()`` stands in one cell and ``client.close()`` in a later
    one. In code that runs an event loop use ``connect``: a call here would stop it.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Client]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._opened_by = 0
        self._client: Client | None = None
        self._connection: ContextTask[Client] | None = None

    # ---- opening and closing

    def open(self) -> Self:
        """Connect; raises what ``connect`` raises. Again: nothing."""
        with self._lock:
            if self._client is not None and self._opened_by == os.getpid():
                return self
            self._loop = loop = asyncio.new_event_loop()
            self._opened_by = os.getpid()
            # A daemon: a program that has forgotten to close it still ends.
            self._thread = threading.Thread(
                target=_run, args=(loop,), name="chatcore client", daemon=True
            )
            self._thread.start()
            try:
                self._client = self._wait(self._connect(), loop)
            except BaseException:
                self._stop(loop)
                raise
        return self

    async def _connect(self) -> Client:
        self._connection = ContextTask(self._make())
        return await self._connection.open()

    def close(self) -> None:
        """Acknowledge what was handed over, log out, and disconnect. Again: nothing."""
        self._close(None)

    def _close(self, error: BaseException | None) -> None:
        with self._lock:
            loop, connection = self._loop, self._connection
            if self._client is None or loop is None or connection is None:
                return
            self._client = self._connection = None
            try:
                if self._opened_by == os.getpid():
                    self._wait(connection.close(error=error), loop)
            finally:
                self._stop(loop)

    def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        thread, self._thread, self._loop = self._thread, None, None
        if self._opened_by == os.getpid():
            loop.call_soon_threadsafe(loop.stop)
            if thread is not None:
                thread.join()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        self._close(error)

    # ---- accounts and sessions

    @property
    def username(self) -> Username | None:
        """See ``Client.username``."""
        return self._opened.username

    @property
    def account(self) -> AccountId | None:
        """See ``Client.account``."""
        return self._opened.account

    def create(
        self, username: str, password: str, *, invitation: str = ""
    ) -> AccountId:
        """See ``Client.create``."""
        return self._call(
            self._opened.create(username, password, invitation=invitation)
        )

    def login(
        self,
        username: str = "",
        password: str = "",
        *,
        create: bool = False,
        delivery: DeliveryMode = DeliveryMode.PUSH,
        invitation: str = "",
        proof: str = "",
    ) -> LoggedIn:
        """See ``Client.login``."""
        return self._call(
            self._opened.login(
                username,
                password,
                create=create,
                delivery=delivery,
                invitation=invitation,
                proof=proof,
            )
        )

    def prove(self, proof: str = "") -> int:
        """See ``Client.prove``."""
        return self._call(self._opened.prove(proof))

    def logout(self) -> None:
        """See ``Client.logout``."""
        self._call(self._opened.logout())

    def change_password(self, old: str, new: str) -> None:
        """See ``Client.change_password``."""
        self._call(self._opened.change_password(old, new))

    def delete(
        self,
        username: str,
        password: str = "",
        *,
        inbox: InboxAction = InboxAction.DELIVER,
        outbox: OutboxAction = OutboxAction.KEEP,
        dry_run: bool = False,
        proof: str = "",
    ) -> DeletionReceipt:
        """See ``Client.delete``."""
        return self._call(
            self._opened.delete(
                username,
                password,
                inbox=inbox,
                outbox=outbox,
                dry_run=dry_run,
                proof=proof,
            )
        )

    # ---- messages

    def send(
        self, recipient: str, body: str, *, key: IdempotencyKey | None = None
    ) -> Accepted:
        """See ``Client.send``."""
        return self._call(self._opened.send(recipient, body, key=key))

    def send_all(self, messages: Sequence[tuple[str, str]]) -> list[Accepted | Refusal]:
        """See ``Client.send_all``."""
        return self._call(self._opened.send_all(messages))

    @property
    def missed(self) -> range:
        """See ``Client.missed``."""
        return self._opened.missed

    @property
    def unsent(self) -> Sequence[Send]:
        """See ``Client.unsent``."""
        return self._opened.unsent

    def send_unsent(self) -> list[Accepted | Refusal]:
        """See ``Client.send_unsent``."""
        return self._call(self._opened.send_unsent())

    def mail(self, *, within_s: float | None = None) -> Iterator[Delivered | Bounced]:
        """See ``Client.mail``; ends also when none has come within so long."""
        while (mail := self._call(self._next(self._opened, within_s))) is not None:
            yield mail

    def messages(self, *, within_s: float | None = None) -> Iterator[Delivered]:
        """See ``Client.messages``; ends also when no mail has come within so long."""
        for mail in self.mail(within_s=within_s):
            if isinstance(mail, Delivered):
                yield mail

    @staticmethod
    async def _next(
        client: Client, within_s: float | None
    ) -> Delivered | Bounced | None:
        mail = client.mail()
        try:
            async with asyncio.timeout(within_s):
                return await anext(mail, None)
        except TimeoutError:
            return None

    def acknowledge(self) -> None:
        """See ``Client.acknowledge``."""
        self._call(self._acknowledge(self._opened))

    @staticmethod
    async def _acknowledge(client: Client) -> None:
        client.acknowledge()

    def deliver(self) -> int:
        """See ``Client.deliver``: another thread reads ``messages()`` meanwhile."""
        return self._call(self._opened.deliver())

    def list(self, pattern: str = "") -> Sequence[ListedAccount]:
        """All that ``Client.list`` gives."""
        return self._call(self._listed(self._opened, pattern))

    @staticmethod
    async def _listed(client: Client, pattern: str) -> Sequence[ListedAccount]:
        return [it async for it in client.list(pattern)]

    # ---- the other thread

    @property
    def _opened(self) -> Client:
        """The client of the other thread.

        Raises:
            Closed: it was never opened, or is closed.
            ClientMisused: it was opened before a fork.
        """
        client = self._client
        if client is None:
            raise Closed(CloseCode.LINK_LOST, _NOT_OPEN)
        if self._opened_by != os.getpid():
            raise ClientMisused(_FORKED)
        return client

    def _call(self, asked: Coroutine[object, None, T]) -> T:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            asked.close()
            raise Closed(CloseCode.LINK_LOST, _NOT_OPEN)
        if thread is threading.current_thread():
            asked.close()
            raise ClientMisused(_WITHIN_ITSELF)
        return self._wait(asked, loop)

    @staticmethod
    def _wait(asked: Coroutine[object, None, T], loop: asyncio.AbstractEventLoop) -> T:
        future = asyncio.run_coroutine_threadsafe(asked, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # whoever pressed Ctrl-C does not wait for it
            raise


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def connect_sync(
    urls: str | Sequence[str],
    *,
    codec: str | None = None,
    reconnect: ReconnectPolicy | None = DEFAULT_RECONNECTING,
    on_received: Callable[[Received], None] = lambda _: None,
    on_link: Callable[[LinkEvent], None] = lambda _: None,
    tls: ClientTls = SYSTEM_TRUST,
    proof: ProofSource | None = None,
) -> SyncClient:
    """A client for code that waits, to be opened by ``with`` or ``open()``.

    Its arguments are those of ``connect``. ``on_received`` and ``on_link`` are called
    in the client's own thread, and return at once.
    """

    def make() -> AbstractAsyncContextManager[Client]:
        return connect(
            urls,
            codec=codec,
            reconnect=reconnect,
            on_received=on_received,
            on_link=on_link,
            tls=tls,
            proof=proof,
        )

    return SyncClient(make)
