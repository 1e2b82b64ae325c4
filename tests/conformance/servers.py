"""A real server in one cell, and clients and peers of it.

It is the test's own, or with ``--target`` one that is up already. Of that a test has
only the wire: what it can do to its own server alone needs the mark ``own_server``.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from chatcore import Chat, Limits, Registration, SecondLogin
from chatcore.commands import DeliveryMode
from chatcore.errors import RateExceeded
from chatcore.events import Received
from chatcore.ids import IdempotencyKey
from chatcore.limits import DAY_MS, MIB
from chatcore.ports import Identities, SendPolicy
from chatcore.store import Store
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from chatsystem.clock import SystemClock
from tests.certificates import client_tls, server_tls
from tests.conformance.asgi import ASGI, serve_below_asgi
from tests.conformance.cells import Cell
from tests.conformance.environment import HeldPasswords, SteppedClock
from tests.conformance.peers import PASSWORD, WITHIN_S, Peer
from tests.faults.relay import relaying
from transports import (
    Client,
    LinkEvent,
    ProofSource,
    ReconnectPolicy,
    connect,
    serve,
)
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.client.key_generator import KeyGenerator
from transports.codec import codec as codec_of
from transports.memory_budget import MemoryBudget
from transports.registry import dial

CHEAP: Final = HashSettings(memory_kib=8, passes=1)
LIMITS: Final = Limits()
_ANY_FRAME_BYTES: Final = 16 * MIB
SOON: Final = ReconnectPolicy(first_delay_s=0.001, longest_delay_s=0.02)


class NeedsOwnServer(Exception):
    """A test without the mark ``own_server`` that wants what only its own one gives."""

    def __init__(self) -> None:
        super().__init__("A server that was up already cannot: mark it own_server.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a test has in its hands of a server of its own.

    Attributes:
        chat: the service itself.
        clock: what it takes for the time: the real one, and what tests add.
        passwords: its hashing, which a test can hold up.
        memory_budget: what its connections hold.
    """

    chat: Chat
    clock: SteppedClock
    passwords: HeldPasswords
    memory_budget: MemoryBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One running server.

    Attributes:
        urls: where it listens; the first is the cell's own.
        inside: None for a server that was up already.
    """

    cell: Cell
    urls: list[str]
    inside: Inside | None

    @property
    def chat(self) -> Chat:
        """See ``Inside``."""
        return self._inside.chat

    @property
    def clock(self) -> SteppedClock:
        """See ``Inside``."""
        return self._inside.clock

    @property
    def passwords(self) -> HeldPasswords:
        """See ``Inside``."""
        return self._inside.passwords

    @property
    def held_bytes(self) -> int:
        """What all its connections hold now."""
        return self._inside.memory_budget.held_bytes

    @property
    def _inside(self) -> Inside:
        if self.inside is None:
            raise NeedsOwnServer
        return self.inside

    @property
    def now_ms(self) -> int:
        """What the server takes for the time."""
        clock = self.inside.clock if self.inside is not None else SystemClock()
        return clock.now_ms()

    @property
    def url(self) -> str:
        """Where it listens in this cell."""
        return self.urls[0]

    @asynccontextmanager
    async def client(  # as transports.connect, which it calls
        self,
        *urls: str,
        codec: str = "",
        reconnect: ReconnectPolicy | None = SOON,
        on_received: Callable[[Received], None] = lambda _: None,
        on_link: Callable[[LinkEvent], None] = lambda _: None,
        proof: ProofSource | None = None,
    ) -> AsyncIterator[Client]:
        """A client of the library."""
        async with connect(
            urls or self.url,
            codec=codec or self.cell.codec,
            reconnect=reconnect,
            on_received=on_received,
            on_link=on_link,
            tls=client_tls(),
            proof=proof,
        ) as client:
            yield client

    @asynccontextmanager
    async def user(
        self,
        username: str,
        *,
        delivery: DeliveryMode = DeliveryMode.PUSH,
        on_received: Callable[[Received], None] = lambda _: None,
    ) -> AsyncIterator[Client]:
        """A client that is logged in; its account is made when there is none."""
        async with self.client(on_received=on_received) as client:
            await client.login(username, PASSWORD, create=True, delivery=delivery)
            yield client

    def make_key(self, *, days: float = 0) -> IdempotencyKey:
        """A key of the server's time, or of so many days after it."""
        at_ms = self.now_ms + int(days * DAY_MS)
        return KeyGenerator(secrets.randbits).make(at_ms)

    async def until_offline(self, username: str) -> None:
        """Return once the server has seen that a session's link is lost."""
        async with self.user("watcher") as watcher, asyncio.timeout(WITHIN_S):
            is_online = True
            while is_online:
                try:
                    entries = [it async for it in watcher.list(f"{username}*")]
                    is_online = [it.online for it in entries] != [False]
                except RateExceeded as exceeded:
                    await asyncio.sleep(exceeded.retry_after_ms / 1000)

    @asynccontextmanager
    async def peer(self, url: str = "", *, codec: str = "") -> AsyncIterator[Peer]:
        """A peer that has been welcomed; its link is cut at the end of the block."""
        address = parse_address(url or self.url)
        chosen = codec_of(codec or self.cell.codec)
        settings = LinkSettings(frame_bytes=_ANY_FRAME_BYTES, client_tls=client_tls())
        link = await dial(address, chosen, settings)
        peer = Peer(AwaitedLink(link), chosen)
        try:
            peer.welcome = await peer.welcomed()
            yield peer
        finally:
            link.abort()

    @asynccontextmanager
    async def far_peer(self) -> AsyncIterator[tuple[Peer, Callable[[], None]]]:
        """A peer, and how to make it fall silent as a machine does that has died.

        A peer in the same process that only stops to talk is not silent: the library
        below it may go on to answer pings of its own.
        """
        if parse_address(self.url).port:
            async with relaying(self.url) as relay, self.peer(relay.url) as peer:
                yield peer, relay.stall
        else:
            async with self.peer() as peer:
                yield peer, lambda: None


def _as_it_is(store: Store) -> Store:
    return store


@asynccontextmanager
async def serving(  # noqa: PLR0913  # all that a server can be told
    cell: Cell,
    *,
    limits: Limits = LIMITS,
    second_login: SecondLogin = SecondLogin.REJECT,
    registration: Registration = Registration.OPEN,
    hashing: HashSettings = CHEAP,
    policy: SendPolicy | None = None,
    identities: Identities | None = None,
    also: tuple[str, ...] = (),
    over: Callable[[Store], Store] = _as_it_is,
) -> AsyncIterator[Server]:
    """A server in a cell while the block runs.

    Raises ``NeedsOwnServer`` where it is up already and is to be another.

    Args:
        cell: what it listens on and keeps its rows in.
        limits: its limits.
        second_login: see S1.
        registration: who may make accounts.
        hashing: what a password costs.
        policy: the application's say.
        identities: the application's users.
        also: more URLs to listen on.
        over: puts something between the chat and its store.
    """
    if cell.is_target:
        rules = (limits, second_login, registration, policy, identities)
        usual = (LIMITS, SecondLogin.REJECT, Registration.OPEN, None, None)
        if rules != usual or (hashing, also, over) != (CHEAP, (), _as_it_is):
            raise NeedsOwnServer
        yield Server(cell=cell, urls=[cell.listens], inside=None)
        return
    environment = system_environment(hashing)
    clock = SteppedClock()
    passwords = HeldPasswords(environment.passwords)
    environment = replace(environment, clock=clock, passwords=passwords)
    async with open_store(cell.store_url) as store:
        chat = Chat(
            over(store),
            limits=limits,
            second_login=second_login,
            registration=registration,
            policy=policy,
            identities=identities,
        )
        memory_budget = MemoryBudget(limits.held_bytes)
        begin = serve_below_asgi if cell.transport in ASGI else serve
        async with begin(
            chat,
            cell.listens,
            *also,
            environment=environment,
            memory_budget=memory_budget,
            tls=server_tls(),
        ) as urls:
            inside = Inside(
                chat=chat, clock=clock, passwords=passwords, memory_budget=memory_budget
            )
            yield Server(cell=cell, urls=urls, inside=inside)
