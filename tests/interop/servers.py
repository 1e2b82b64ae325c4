"""Real servers for programs of others: in this process, or one of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from chatcore import Chat, Limits
from chatcore.ports import Identities, SendPolicy
from chatcore.store import Store
from chatstores import open_store
from chatsystem import HashSettings, system_environment
from tests.conformance.environment import HeldPasswords, SteppedClock
from tests.conformance.peers import Peer
from transports import serve
from transports.awaited_link import AwaitedLink
from transports.base import LinkSettings, parse_address
from transports.codec import codec as codec_of
from transports.http_site import Site
from transports.registry import transport_for

CHEAP: Final = HashSettings(memory_kib=8, passes=1)
LIMITS: Final = Limits()
PASSWORD: Final = "correct horse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, and what a test can turn in it."""

    chat: Chat
    store: Store
    urls: list[str]
    clock: SteppedClock
    passwords: HeldPasswords

    @property
    def url(self) -> str:
        return self.urls[0]

    @asynccontextmanager
    async def peer(self, url: str = "", codec: str = "protobuf") -> AsyncIterator[Peer]:
        """A peer on a link of frames, which is cut at the end of the block."""
        address = parse_address(url or self.url)
        link = await transport_for(address.scheme).dial(
            address, codec_of(codec), LinkSettings(frame_bytes=LIMITS.frame_bytes)
        )
        peer = Peer(AwaitedLink(link), codec_of(codec))
        try:
            await peer.welcomed()
            yield peer
        finally:
            link.abort()


@asynccontextmanager
async def serving(
    *urls: str,
    limits: Limits = LIMITS,
    policy: SendPolicy | None = None,
    identities: Identities | None = None,
    over: Callable[[Store], Store] = lambda store: store,
    site: Site | None = None,
) -> AsyncIterator[Server]:
    """A server in memory on these URLs while the block runs.

    ``over`` puts something between the chat and its store; ``site`` is what its
    listeners of HTTP serve beside the chat.
    """
    environment = system_environment(CHEAP)
    clock = SteppedClock()
    passwords = HeldPasswords(environment.passwords)
    environment = replace(environment, clock=clock, passwords=passwords)
    async with open_store("memory:") as store:
        chat = Chat(over(store), limits=limits, policy=policy, identities=identities)
        async with serve(chat, *urls, environment=environment, site=site) as listening:
            yield Server(
                chat=chat,
                store=store,
                urls=listening,
                clock=clock,
                passwords=passwords,
            )
