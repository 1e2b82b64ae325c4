"""Serving one chat on any number of URLs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Final

from chatcore import Chat
from chatcore.errors import Outage
from chatcore.model import Origin
from chatcore.ports import Environment
from chatsystem import system_environment
from transports.audit_log import AuditLog
from transports.base import Link, LinkSettings, Listener, parse_address
from transports.certificates import ServerCertificate
from transports.codec import Codec
from transports.connection_names import connection_name
from transports.deferred_calls import DeferredCalls
from transports.driver import Driver
from transports.errors import BadUrl
from transports.fair_scheduler import FairScheduler
from transports.http_site import Site
from transports.memory_budget import MemoryBudget
from transports.proxies import Proxies
from transports.rate_limited_log import RateLimitedLog
from transports.registry import listen_on
from transports.served_link import ServedLink
from transports.telling import begin_telling, finish_telling
from transports.tls import ServerTls
from transports.tls_handshakes import AT_ONCE, TlsHandshakes

_log = logging.getLogger(__name__)
_TICK_S: Final = 0.5
_STOP_S: Final = 5.0
_NOTICES_WAIT_S: Final = 0.005
"""So long what may wait for others waits to be written with them: half as many frames
where people answer each other."""


@asynccontextmanager
async def serve(
    chat: Chat,
    *urls: str,
    environment: Environment | None = None,
    memory_budget: MemoryBudget | None = None,
    tls: ServerTls | ServerCertificate | None = None,
    proxies: Sequence[str] = (),
    site: Site | None = None,
) -> AsyncIterator[list[str]]:
    """Serve a chat while the block runs::

        async with (
            open_store("sqlite:///chat.db") as store,
            serve(Chat(store), "tcp://127.0.0.1:7400", "ws://127.0.0.1:7401") as urls,
        ):
            await stopped.wait()

    Yields the URLs that accept now, in the order given, with real ports for port 0.
    Everything else is as with ``open_server``.

    Raises:
        BadUrl: a URL that no transport serves, or one with TLS and no certificate.
        CannotListen: an address that the machine does not give.
        CertificateUnusable: files of ``tls`` that cannot be used.
        ValueError: a network of ``proxies`` that is none.
    """
    certificate = ServerCertificate(tls) if isinstance(tls, ServerTls) else tls
    for url in urls:
        if parse_address(url).is_secure and certificate is None:
            raise needs_certificate(url)
    async with open_server(
        chat,
        environment=environment,
        memory_budget=memory_budget,
        tls=certificate,
        proxies=proxies,
        site=site,
    ) as server:
        yield [await server.listen(url) for url in urls]


@asynccontextmanager
async def open_server(
    chat: Chat,
    *,
    environment: Environment | None = None,
    memory_budget: MemoryBudget | None = None,
    tls: ServerTls | ServerCertificate | None = None,
    proxies: Sequence[str] = (),
    site: Site | None = None,
) -> AsyncIterator["Server"]:
    """A server of this chat that does not listen yet, while the block runs.

    It listens on URLs that it is given (``Server.listen``), and takes links of sockets
    that somebody else owns (``Server.accept``).

    Leaving the block takes no new sessions, tells each peer that it may come back,
    and returns once the store has everything (W9). ``memory_budget`` tells meanwhile
    what all connections hold (B1). URLs with TLS, such as ``tcps://``, show the
    certificate of ``tls``; it is read again when its files change. Connections from
    ``proxies``, networks such as ``10.0.0.0/8``, are taken for whose they say: by PROXY
    protocol 2 on TCP, where they must, by ``X-Forwarded-For`` on WebSocket and gRPC.
    Where no ``environment`` is given, it is the system's, and its observer an
    ``AuditLog``: logins and failures are logged, at INFO.
    ``site`` answers what is asked of listeners of HTTP beside the chat; its pages may
    connect to each listener (W3).

    Raises:
        CertificateUnusable: files of ``tls`` that cannot be used.
        ValueError: a network of ``proxies`` that is none.
    """
    certificate = ServerCertificate(tls) if isinstance(tls, ServerTls) else tls
    trusted = Proxies.of(proxies)
    if environment is None:
        environment = replace(system_environment(), observer=AuditLog())
    await chat.start(environment)
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        server = Server(
            chat,
            tasks,
            memory_budget or MemoryBudget(chat.limits.held_bytes),
            certificate,
            trusted,
            site,
        )
        ticking = tasks.create_task(server.tick())
        telling = begin_telling(chat, tasks)
        try:
            yield server
        except BaseException as error:  # noqa: BLE001  # raised below, as it came
            # A task group would wrap it, and cancel links that are at work.
            failure = error
        await server.stop()
        ticking.cancel()
        await finish_telling(chat, telling)
    if failure is not None:
        raise failure


def needs_certificate(url: str) -> BadUrl:
    """What a URL with TLS is refused with, where there is no certificate."""
    return BadUrl(url, "with TLS, serve() needs a certificate: tls=ServerTls(…)")


class Server:
    """The listeners and links of one chat; ``open_server`` makes it.

    Attributes:
        urls: where it listens.
        settings: what an adapter needs to know that makes links itself.
    """

    def __init__(
        self,
        chat: Chat,
        tasks: asyncio.TaskGroup,
        memory_budget: MemoryBudget,
        certificate: ServerCertificate | None,
        proxies: Proxies,
        site: Site | None,
    ) -> None:
        self._chat = chat
        self._tasks = tasks
        self._listeners: list[Listener] = []
        self._links: set[Link] = set()
        self._on_end = self._forget  # one for all links
        self._last_gone: asyncio.Event | None = None
        self._has_stopped: asyncio.Event | None = None
        limits = chat.limits
        self._memory_budget = memory_budget
        self._certificate = certificate
        self.urls: list[str] = []
        self._scheduler = FairScheduler(at_once=1)
        self._log_limited = RateLimitedLog(_log)
        self._later = DeferredCalls(_NOTICES_WAIT_S)
        self.settings = LinkSettings(
            frame_bytes=limits.first_frame_bytes,
            later_frame_bytes=limits.frame_bytes,
            command_bytes=limits.command_bytes,
            unsent_bytes=limits.login_unsent_bytes,
            handshake_s=limits.login_within_s,
            # A transport's own pings come before the chat's, which then never need to.
            keepalive_s=limits.ping_after_s * 0.75,
            admission=chat.admission,
            handshakes=TlsHandshakes(limits.handshakes, FairScheduler(at_once=AT_ONCE)),
            connections=limits.connections,
            loopback_counts=limits.loopback_counts,
            certificate=certificate,
            proxies=proxies,
            keeps_headers=chat.asks_the_application,
            site=site,
        )

    async def listen(self, url: str) -> str:
        """Accept on one more URL; the URL that clients use.

        Raises:
            BadUrl: no transport serves it, or it is one with TLS and no certificate.
            CannotListen: the machine does not give the address.
        """
        address = parse_address(url)
        if address.is_secure and self._certificate is None:
            raise needs_certificate(url)
        serve_link = partial(self._accept, address.scheme)
        listener = await listen_on(address, serve_link, self.settings, self.spawn)
        self._listeners.append(listener)
        self.urls.append(listener.url)
        return listener.url

    def accept(
        self, link: Link, codec: Codec, *, transport: str, is_watched: bool = False
    ) -> ServedLink:
        """Drive a link that has shaken hands to its end, which can be awaited.

        Its maker has asked ``settings.admission`` for room, and gives that back once
        the link has ended (B3). ``transport`` is the scheme that stands for how it
        came, for logs and metrics. One that ``is_watched`` has pings below it of which
        it knows nothing, and whoever has its socket ends it when they are not answered:
        its peer need not answer the chat's, unless it has done so once (S5).
        """
        return self._accept(transport, link, codec, is_watched=is_watched)

    @property
    def is_stopping(self) -> bool:
        """Whether it takes nobody any more; see ``stop``."""
        return self._has_stopped is not None

    def spawn(self, work: Coroutine[object, None, None]) -> None:
        """Run a link's work; a fault in it ends that link and no other."""
        self._tasks.create_task(self._guard(work))

    async def _guard(self, work: Coroutine[object, None, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001  # a fault of ours ends one link, not all
            _log.exception("A link ended by a fault of the server")

    def _accept(
        self, transport: str, link: Link, codec: Codec, *, is_watched: bool = False
    ) -> ServedLink:
        origin = Origin(connection_name(), transport, link.peer)
        _log.debug("%s connected", link.peer)
        driver = Driver(
            self._chat,
            link,
            codec,
            self._memory_budget,
            self._scheduler,
            self._log_limited,
            self._later,
            origin,
        )
        served = ServedLink(link, self._on_end)
        self._links.add(link)
        driver.begin(served.end, is_watched=is_watched)
        return served

    def _forget(self, link: Link) -> None:
        """Take note that a link has ended."""
        link.abort()
        self._links.discard(link)
        if not self._links and self._last_gone is not None:
            self._last_gone.set()
        _log.debug("%s has gone", link.peer)

    async def tick(self) -> None:
        """Let the chat do what time asks for."""
        while True:
            if self._certificate is not None:
                self._certificate.reload_if_changed()
            try:
                await self._chat.tick()
            except Outage as outage:
                self._chat.counters.store_failures += 1
                _log.warning("The store cannot be reached: %s", outage)
            except Exception:  # noqa: BLE001  # the next round may do better
                _log.exception("Housekeeping failed")
            await asyncio.sleep(_TICK_S)

    async def stop(self) -> None:
        """Take nobody any more, tell each peer that it may come back, and return once
        the store has everything (W9); again, to wait for that.

        Leaving the block does so. Whoever has sockets that somebody else closes first
        stops it before that.
        """
        if self._has_stopped is not None:
            await self._has_stopped.wait()
            return
        self._has_stopped = asyncio.Event()
        try:
            await self._stop()
        finally:
            self._has_stopped.set()

    async def _stop(self) -> None:
        """Close the listeners, then the links, those that do not end by force."""
        for listener in self._listeners:
            await listener.stop_accepting()
        try:
            await self._chat.stop()
        except Outage as outage:
            _log.error(
                "The store could not be flushed: %s", outage
            )  # its text says all
        if self._links:
            self._last_gone = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await self._last_gone.wait()
            for link in list(self._links):
                link.abort()
            if self._links:
                await self._last_gone.wait()
        for listener in self._listeners:
            await self._finish(listener)

    async def _finish(self, listener: Listener) -> None:
        try:
            async with asyncio.timeout(_STOP_S):
                await listener.wait_finished()
        except TimeoutError:
            _log.warning("%s has not finished in time", listener.url)
