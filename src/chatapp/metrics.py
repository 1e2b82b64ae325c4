"""What a server's metrics are called, and where their values are.

Nothing is counted here: when a scrape comes, the numbers that the chat, its store and
the health check have are read. No label is a name or an address (B8), so that there are
as many series as transports and errors.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chatapp.health import Health
from chatcore import Chat
from chatcore.counters import Histogram
from chatcore.errors import REFUSALS
from chatcore.ports import Passwords
from chatwebhooks.sender import HttpWebhooks
from transports.http_messages import HttpResponse
from transports.memory_budget import MemoryBudget

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_KEPT_S: Final = 0.25


class ServerCollector(Collector):
    """Reads one server's numbers.

    Args:
        chat: whose they are.
        transports: the schemes that it listens on, which are told from the start.
        memory_budget: what its connections hold.
        health: what measures the event loop.
        passwords: where passwords wait to be hashed.
    """

    def __init__(
        self,
        chat: Chat,
        transports: Iterable[str],
        memory_budget: MemoryBudget,
        health: Health,
        passwords: Passwords,
    ) -> None:
        self._chat = chat
        self._transports = tuple(dict.fromkeys(transports))
        self._memory_budget = memory_budget
        self._health = health
        self._passwords = passwords

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client.registry.Collector``."""
        yield from self._sessions()
        yield from self._messages()
        yield from self._handlers()
        yield from self._webhooks()
        yield from self._store()
        yield self._refusals()
        yield GaugeMetricFamily(
            "chatcore_connections_held_bytes",
            "Bytes that connections hold: read and not carried out, written and not "
            "taken",
            self._memory_budget.held_bytes,
        )
        waiting = getattr(self._passwords, "waiting", None)
        if isinstance(waiting, int):
            yield GaugeMetricFamily(
                "chatcore_passwords_waiting",
                "Passwords that wait to be hashed, or are being hashed",
                waiting,
            )
        yield _histogram(
            "chatcore_event_loop_delay_seconds",
            "How much later than asked the event loop woke a timer",
            self._health.loop_delay_s,
        )

    def _sessions(self) -> Iterator[Metric]:
        chat = self._chat
        counters, attached = chat.counters, chat.attached_sessions
        sessions = GaugeMetricFamily(
            "chatcore_sessions",
            "Sessions by state; a detached one has no transport",
            labels=["state", "transport"],
        )
        connections = GaugeMetricFamily(
            "chatcore_connections",
            "Connections that have shaken hands",
            labels=["transport"],
        )
        opened = CounterMetricFamily(
            "chatcore_connections_opened",
            "Connections that have ever shaken hands",
            labels=["transport"],
        )
        for transport in self._transports:
            sessions.add_metric(["attached", transport], attached.get(transport, 0))
            connections.add_metric([transport], counters.connections[transport])
            opened.add_metric([transport], counters.opened[transport])
        sessions.add_metric(["detached", ""], chat.detached_sessions)
        yield from (sessions, connections, opened)

    def _messages(self) -> Iterator[Metric]:
        counters = self._chat.counters
        for name, text, value in (
            ("accepted", "Messages that were stored", counters.accepted),
            (
                "delivered",
                "Messages and bounces given to connections, again after a resume",
                counters.delivered,
            ),
            (
                "acknowledged",
                "Messages that recipients have acknowledged",
                counters.acknowledged,
            ),
        ):
            yield CounterMetricFamily(f"chatcore_messages_{name}", text, value)

    def _handlers(self) -> Iterator[Metric]:
        handlers = self._chat.handlers
        if handlers is not None:
            yield CounterMetricFamily(
                "chatcore_handlers_dropped",
                "Events that the application's handlers were too slow to be told of",
                handlers.dropped,
            )

    def _webhooks(self) -> Iterator[Metric]:
        outbox, webhooks = self._chat.outbox, self._chat.webhooks
        if outbox is None or not isinstance(webhooks, HttpWebhooks):
            return
        for name, text, value in (
            (
                "waiting",
                "Webhooks in the store that are yet to be sent",
                outbox.waiting,
            ),
            ("failed", "Webhooks in the store that are tried no more", outbox.failed),
        ):
            yield GaugeMetricFamily(f"chatcore_webhooks_{name}", text, value)
        counts = webhooks.counts
        for name, text, value in (
            ("sent", "Webhooks that were taken", counts.sent),
            ("refused", "Attempts that were not taken", counts.refused),
        ):
            yield CounterMetricFamily(f"chatcore_webhooks_{name}", text, value)

    def _store(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "chatcore_store_failures",
            "How often the store could not do, or not say, what it was asked",
            self._chat.counters.store_failures,
        )
        counters = self._chat.store_counters
        if counters is None:
            return
        yield GaugeMetricFamily(
            "chatcore_messages_waiting",
            "Messages and bounces in mailboxes, not acknowledged",
            counters.waiting,
        )
        if counters.commit_s is not None and counters.commit_rows is not None:
            yield _histogram(
                "chatcore_store_commit_seconds",
                "From the beginning of a transaction that writes to its being on disk",
                counters.commit_s,
            )
            yield _histogram(
                "chatcore_store_commit_rows",
                "Rows that a transaction has changed",
                counters.commit_rows,
            )

    def _refusals(self) -> Metric:
        refused = CounterMetricFamily(
            "chatcore_refusals",
            "Commands that were refused, by the number and name of the error",
            labels=["code", "name"],
        )
        counted = self._chat.counters.refusals
        for code, kind in REFUSALS.items():
            refused.add_metric([str(code), kind().name], counted[code])
        others = sum(n for code, n in counted.items() if code not in REFUSALS)
        refused.add_metric(["", "OTHER"], others)
        return refused


class MetricsPage:
    """The text that a scrape is answered.

    It is made at most four times a second, however often it is asked for (B2).
    """

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        self._loop = asyncio.get_running_loop()
        self._text = b""
        self._kept_until_s = 0.0

    async def answer(self) -> HttpResponse:
        """See ``transports.http_server.Route``."""
        now_s = self._loop.time()
        if now_s >= self._kept_until_s:
            self._text = generate_latest(self._registry)
            self._kept_until_s = now_s + _KEPT_S
        return HttpResponse(body=self._text, content_type=CONTENT_TYPE)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    """A histogram as it is exposed: each bucket with all that are below it."""
    below = 0
    buckets: list[tuple[str, float]] = []
    bounds = [*map(str, map(float, histogram.bounds)), "+Inf"]
    for bound, count in zip(bounds, list(histogram.counts), strict=True):
        below += count
        buckets.append((bound, below))
    family = HistogramMetricFamily(name, text)
    family.add_metric([], buckets, histogram.total)
    return family
