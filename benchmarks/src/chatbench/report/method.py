"""How it was measured and what it does not say: the page's small print."""

from chatbench.results import Results
from chatbench.samples import MOST_GENERATOR, MOST_LAG_US, MOST_OTHERS, MOST_STOLEN

_METHOD = """
Processes
The server and the load generator are processes of their own, {pinning}. Each round of
each cell has a fresh server and a fresh database. Everything but the one thing that a
comparison varies is the same: the chat, the limits, the store, the load.

Order
A round runs every cell once, in an order drawn anew (seed {seed}), so that what drifts
on the machine meets all alike. Each window is preceded by a warm-up, whose length is in
the table of workloads.

Closed loop (rtt, throughput)
A pair keeps a fixed number of messages in flight: each delivery is acknowledged and
replaced by a new send. Latency counts from the send to the delivery, a receipt's to the
receipt.

Open loop (rate)
Messages are due at fixed times, whatever the server does. Latency counts from the time
that a message was due, not from when it could be sent: otherwise a stalled server would
be spared the messages that it held up (coordinated omission).

Accounting
Every message has a number. It must be delivered once and in order, warm-up included; a
loss, a duplicate or a reordering fails the round and makes the row invalid.

CPU a message
The server's CPU time over the measured window, all threads and children, from the
process clock, by the messages delivered in it. User and system come from the kernel's
ticks of 10 ms and are coarser.

Latency
Every message is recorded; histograms (HDR, three digits) of all valid rounds are
merged. A percentile q is withheld with fewer than 100 / (1 - q) samples behind it.

Bytes on the wire
TCP payload, without handshake and login, counted by one relay that knows no protocol,
in a pass of its own, whose times are thrown away.

Ratios, intervals and noise
A ratio is taken within a round, so that what slows a whole round falls out. The figure
is the median over the rounds; its 95 % interval comes from resampling the rounds
(bootstrap). Twins are contestants that are the same in all; how far apart they were
measured (the largest of their medians) is the noise of this run, and each interval is
widened by it on both sides. An interval that holds 1 is called “no difference”. Bytes
are counted in one pass and not sampled: what is within 1 % is no difference. Many
ratios are shown: some findings whose interval ends close to 1 are chance.

Generator-bound
Where the generator used over {generator} of its core, or an open loop sent over
{lag} ms late (99th percentile), the generator may have been the limit: throughput and
latency are marked and not compared. CPU a message stays valid.

Disturbed rounds
Rounds in which over {stolen} of the machine's time was stolen by its host, or other
processes used over {others} of it, are counted in the grid. They are kept.

Raw samples
Every round of every cell is in results.json beside this page.
"""

_LIMITS = """
No network: server and load talk over loopback, without loss, delay or limited
bandwidth. On a real network latency is mostly the network's, and bytes matter more.

One machine, one run: another processor, kernel or library version moves the figures.

No TLS: neither its CPU nor its handshakes.

One server process; how a transport spreads over several cores is not measured.

These are Python libraries under one Python chat. The figures say nothing of gRPC or
WebSocket in another language.

No browsers, proxies or load balancers in between.

SQLite syncs to this machine's disk: throughput and latency with SQLite depend on it,
CPU a message hardly does.
"""


def method(results: Results) -> list[tuple[str, str]]:
    """Each point as a name and a text."""
    if results.machine.pinned:
        pinning = "each pinned to a core of its own"
    else:
        pinning = "which in this run did not each have a core of their own"
    filled = _METHOD.format(
        pinning=pinning,
        seed=results.seed,
        generator=f"{MOST_GENERATOR:.0%}",
        lag=f"{MOST_LAG_US / 1000:g}",
        stolen=f"{MOST_STOLEN:.0%}",
        others=f"{MOST_OTHERS:.0%}",
    )
    points = [point.partition("\n") for point in _points(filled)]
    return [(name, says.replace("\n", " ")) for name, _, says in points]


def limits(results: Results) -> list[str]:
    """What a reader must not conclude."""
    return [
        *(point.replace("\n", " ") for point in _points(_LIMITS)),
        f"To see what holds on your machine, run it there: {results.command}",
    ]


def _points(content: str) -> list[str]:
    return content.strip().split("\n\n")
