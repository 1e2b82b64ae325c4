"""What is measured: a contestant under a workload is a cell.

A contestant is a server with one way to talk to it; a workload is a load with its
numbers. Both are values that go over a pipe as JSON, to the load generator and into
``results.json``.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Server: TypeAlias = Literal["chat", "echo", "peer"]
"""``chatcore serve``; the same transport with no chat behind it; another's server."""

Framing: TypeAlias = Literal["batch", "single"]
"""All that waits in one frame, as the product does, or one message a frame."""

Driver: TypeAlias = Literal["lean", "library", "unary"]
"""What loads it: a bare wire, our client library, or gRPC's unary calls."""

WorkloadName: TypeAlias = Literal[
    "rtt",
    "throughput",
    "rate",
    "offline",
    "logins",
    "list",
    "idle",
    "replay",
]

Loop: TypeAlias = Literal["asyncio", "uvloop"]


class Contestant(Struct, frozen=True, kw_only=True):
    """One server and one way to talk to it.

    Attributes:
        name: unique in a run, such as ``tcp-protobuf-sqlite``; a twin's ends in ``'``.
        transport: ``tcp``, ``websocket`` or ``grpc``; of a peer, its protocol.
        codec: ``protobuf``, ``json`` or ``msgpack``; of a peer, its own.
        store: ``memory`` or ``sqlite``; a URL with ``{folder}`` in it, for a store of
            others; ``none`` where nothing is stored; of a peer, what it has.
        plugin: a file that its server loads, since its store is in there.
        loop: the server's event loop.
        twin_of: the contestant that this one repeats, to measure the noise.
        planted: a fault put in on purpose, by which the harness proves itself, such as
            ``cpu_us=20``; see ``floor.planted``.
    """

    name: str
    transport: str
    codec: str
    store: str
    plugin: str = ""
    server: Server = "chat"
    framing: Framing = "batch"
    driver: Driver = "lean"
    loop: Loop = "asyncio"
    twin_of: str | None = None
    planted: str | None = None


class Workload(Struct, frozen=True, kw_only=True):
    """A load with its numbers.

    Attributes:
        label: unique in a run, such as ``throughput-8x16``.
        pairs: senders, each with a recipient of its own.
        in_flight: messages a pair keeps under way; 0 where the load is an open loop.
        body_bytes: of each message, ASCII.
        warm_up_s: how long it runs before anything is measured.
        measure_s: how long is measured, where time ends the round.
        rate_per_s: of all pairs together, where the load is an open loop.
        capacity_share: what part of the contestant's own capacity ``rate_per_s`` is to
            be; the runner fills in the rate before the round.
        count: how many messages, accounts or sessions, where a number ends the round.
    """

    label: str
    name: WorkloadName
    pairs: int = 1
    in_flight: int = 1
    body_bytes: int = 64
    warm_up_s: float = 0.3
    measure_s: float = 1.0
    rate_per_s: float | None = None
    capacity_share: float | None = None
    count: int | None = None


class Cell(Struct, frozen=True, kw_only=True):
    """One contestant under one workload."""

    contestant: Contestant
    workload: Workload

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others of a run."""
        return self.contestant.name, self.workload.label


class Order(Struct, frozen=True, kw_only=True):
    """What the runner asks of a load generator: one round of one cell.

    Attributes:
        url: the server, or the relay in front of it.
        server_pid: whose CPU time and memory are read.
        seed: of whatever is drawn by lot.
        counts_wire: that a relay inside the generator counts bytes in this round; its
            times mean nothing then.
        relay_delay_s: a delay planted in that relay.
        relay_drops: every how many chunks that relay drops one; 0 for none.
    """

    cell: Cell
    round: int
    url: str
    server_pid: int
    seed: int
    counts_wire: bool = False
    relay_delay_s: float = 0.0
    relay_drops: int = 0
