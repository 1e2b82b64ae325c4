"""Contestants by the convention for their names, which nothing else reads.

``{transport}-{codec}-{store}`` is the product as it comes; what varies one thing of it
says so at the end of its name.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from chatbench.cells import Contestant, Framing

TRANSPORTS: Final = ("tcp", "websocket", "grpc")
"""What is compared: HTTP is there for networks that let nothing else through."""
STORES: Final = ("memory", "sqlite")


@dataclass(frozen=True, slots=True)
class ChatContestant:
    """The product with a transport and a store; its variants change one thing each."""

    transport: str
    store: str = "sqlite"

    def plain(self, codec: str = "protobuf") -> Contestant:
        """As it comes."""
        return Contestant(
            name=f"{self.transport}-{codec}-{self.store}",
            transport=self.transport,
            codec=codec,
            store=self.store,
        )

    def single(self) -> Contestant:
        """One message a frame."""
        plain = self.plain()
        return replace(plain, name=f"{plain.name}-single", framing="single")

    def uvloop(self) -> Contestant:
        """On the faster event loop."""
        plain = self.plain()
        return replace(plain, name=f"{plain.name}-uvloop", loop="uvloop")

    def library(self) -> Contestant:
        """Loaded by our client library."""
        plain = self.plain()
        return replace(plain, name=f"{plain.name}-library", driver="library")

    def unary(self) -> Contestant:
        """Loaded by unary calls."""
        plain = self.plain()
        return replace(plain, name=f"{plain.name}-unary", driver="unary")


def echo(transport: str, framing: Framing = "batch") -> Contestant:
    """A transport with no chat behind it."""
    return Contestant(
        name=f"{transport}-echo" + ("-single" if framing == "single" else ""),
        transport=transport,
        codec="none",
        store="none",
        server="echo",
        framing=framing,
    )


def over(store: str, of: Contestant, *, plugin: str) -> Contestant:
    """The same over a store of others, by its URL: it is called by its scheme."""
    scheme = store.partition(":")[0]
    name = of.name.replace(f"-{of.store}", f"-{scheme}")
    twin_of = of.twin_of and of.twin_of.replace(f"-{of.store}", f"-{scheme}")
    return replace(of, name=name, store=store, plugin=plugin, twin_of=twin_of)


def twin(of: Contestant) -> Contestant:
    """The same again, to measure how far apart two equal ones are in this run."""
    return replace(of, name=f"{of.name}'", twin_of=of.name)
