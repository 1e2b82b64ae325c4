"""What an attack is told, and what it tells: values that go over a pipe as JSON."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from msgspec import Struct, field

Figures: TypeAlias = dict[str, float]

MIB: Final = 1 << 20


class Target(Struct, frozen=True, kw_only=True):
    """The server to attack.

    Attributes:
        url: where it listens.
        transport: ``tcp``, ``websocket``, ``grpc`` or ``http``.
        pid: its process, whose descriptors and memory may be looked at.
        seconds: how long to attack; what the attack looks at afterwards comes on top.
        bytes: the most that is written in all.
        ca: the file of whom its certificate is from; empty without TLS.
    """

    url: str
    transport: str
    pid: int
    seconds: float
    bytes: int = 1500 * MIB
    ca: str = ""

    def deadline_s(self) -> float:
        """When the attack that begins now has to end, by the monotonic clock."""
        return time.monotonic() + self.seconds


class Findings(Struct, kw_only=True):
    """What an attacker saw.

    Attributes:
        figures: what was written, how many links were ended, and the like.
        faults: what the server should have done and did not, a sentence each.
    """

    figures: Figures = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect(self, *, met: bool, otherwise: str) -> None:
        """Note a fault unless the expectation is met."""
        if not met:
            self.faults.append(otherwise)


Run: TypeAlias = Callable[[Target], Awaitable[Findings]]


class Attack(Struct, frozen=True, kw_only=True):
    """One attack, and the server that it is run against.

    Attributes:
        name: unique; a word that ``--only`` takes.
        says: what it does, in a line.
        run: carries it out, in a process of its own.
        transports: where it exists.
        seconds: how long it takes, where it needs a time of its own.
        settle_s: how long after the attackers have gone the memory is read.
        limits: ``--limit`` of the server, where the defaults would take too long.
        query: of the URL that the server listens on.
        fast_hash: whether passwords cost next to nothing, since many have to log in.
        database: the name of a prepared database (``databases``), empty for none.
        worst_s: the longest round trip that the bystander may see.
        has_tls: whether the server and the bystander beside have TLS.
        gives_way: whether the attackers' process has a low priority from its start;
            one that starts others, which should not, gives way by itself.
    """

    name: str
    says: str
    run: Run
    transports: tuple[str, ...] = ("tcp", "websocket", "grpc")
    seconds: float | None = None
    settle_s: float = 1.0
    limits: dict[str, str] = field(default_factory=dict)
    query: str = ""
    fast_hash: bool = False
    database: str = ""
    worst_s: float = 0.1
    has_tls: bool = False
    gives_way: bool = True
