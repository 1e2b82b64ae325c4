"""A connection: one link to one peer, as the chat sees it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from chatcore.claims import Evidence
from chatcore.commands import Request
from chatcore.counters import Counters
from chatcore.delivery import Delivery
from chatcore.errors import CloseCode, MalformedCommand, Refusal
from chatcore.events import Closing, Event, Ping, Refused
from chatcore.model import Origin
from chatcore.ports import Clock, ConnectionSink, Latch
from chatcore.rate_limiter import Buckets

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Connection:
    """Events on their way to one peer, and signs of life from it.

    Attributes:
        outbox: events that the driver has not written yet, in order.
        closing: set once the last event is in the outbox; nothing follows it.
        lost: the link is gone; what is still emitted goes nowhere.
        is_silent: the peer says no more, though it may still read.
        answers_pings: it has answered one, and so is one of those who do.
        heard_s: when the peer was last heard, on the monotonic clock.
        network: where the peer is, as limits count it; empty where they leave it out.
        address: the peer's, without a port; empty where it has none.
        opened_s: when it was attached, on the monotonic clock.
        buckets: what is left of the rates of a link that nobody has logged in on.
        operations: how many lists, deliveries and deletions run.
        origin: where the peer is, for records.
        headers: of the request that opened the link, as far as they are kept.
        counters: those of the chat.
        delivery: that of the session which it carries; None while nobody is logged in.
    """

    __slots__ = (
        "_clock",
        "_probes",
        "_progress",
        "address",
        "answers_pings",
        "buckets",
        "closing",
        "counters",
        "delivery",
        "headers",
        "heard_s",
        "is_silent",
        "lost",
        "network",
        "opened_s",
        "operations",
        "origin",
        "outbox",
        "sink",
    )

    def __init__(
        self,
        sink: ConnectionSink,
        clock: Clock,
        network: str,
        origin: Origin,
        counters: Counters,
        *,
        address: str = "",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self._clock = clock
        self.address = address
        self.headers = headers
        self.network = network
        self.origin = origin
        self.counters = counters
        self.buckets: Buckets = {}
        self._probes: list[Latch] = []
        self._progress: list[Latch] = []
        self.sink = sink
        self.outbox: list[Event] = []
        self.closing: Closing | None = None
        self.lost = False
        self.is_silent = False
        self.answers_pings = False
        self.opened_s = self.heard_s = clock.monotonic_s()
        self.operations = 0
        self.delivery: Delivery | None = None

    def evidence(self, *, password: str = "", proof: str = "") -> Evidence:
        """What the peer shows of who it is, and from where.

        Raises:
            MalformedCommand: it shows both.
        """
        if password and proof:
            raise MalformedCommand(reason="it has a password and a proof")
        return Evidence(
            password=password,
            proof=proof,
            network=self.network,
            transport=self.origin.transport,
            address=self.address,
            headers=self.headers,
        )

    def emit(self, *events: Event) -> None:
        """Put events into the outbox, in order, and have them written."""
        if self.closing is None and not self.lost:
            self.outbox.extend(events)
            self.sink.wake()

    def notify(self, event: Event, *, most_waiting: int) -> None:
        """Tell something that may wait a little for other events, and may as well be
        dropped, as it is when so many wait already: the peer does not take them (B1).
        """
        if len(self.outbox) < most_waiting and not self.is_over:
            self.outbox.append(event)
            self.sink.wake_later()

    def refuse(self, request: Request, refusal: Refusal) -> None:
        """Answer a request that changed nothing (E2)."""
        self.refuse_later(request.id, refusal)

    def refuse_later(self, command_id: int, refusal: Refusal) -> None:
        """End what was started with a refusal."""
        self.counters.count_refusal(refusal)
        self.emit(Refused(command_id, refusal.with_traceback(None)))

    def close(self, code: CloseCode, text: str = "") -> None:
        """End the link once all before is written; a second call does nothing."""
        if self.closing is None and not self.lost:
            closing = Closing(code, text or code.text)
            self.emit(closing)
            self.closing = closing
        self._open(self._progress)

    def take_outbox(self, most: int) -> Sequence[Event]:
        """What waits to be written, at most so much, which the caller has to write."""
        if len(self.outbox) <= most:
            events, self.outbox = self.outbox, []
        else:
            events = self.outbox[:most]
            del self.outbox[:most]
        return events

    def hear(self) -> None:
        """Take any byte of the peer as a sign of life (S5)."""
        self.heard_s = self._clock.monotonic_s()
        if self._probes:
            self._open(self._probes)

    def fall_silent(self) -> None:
        """Take note that the peer says no more: acknowledgements cannot come."""
        self.is_silent = True
        self._open(self._progress)

    def lose(self) -> None:
        """Take note that the link is gone."""
        self.lost = True
        self.outbox = []
        self._open(self._progress)

    async def probe(self, *, within_s: float) -> bool:
        """Whether the peer answers a ping in time (S1)."""
        if self.lost or self.closing is not None:
            return False
        latch = self._clock.latch()
        self._probes.append(latch)
        self.emit(Ping())
        return await latch.wait(within_s)

    def advance(self) -> None:
        """Tell whoever waits for progress that there was some."""
        if self._progress:
            self._open(self._progress)

    async def progress(self, *, within_s: float) -> bool:
        """Whether mail came or went, or the link ended, in time."""
        if self.is_over:
            return True
        latch = self._clock.latch()
        self._progress.append(latch)
        return await latch.wait(within_s)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be told to this peer."""
        return self.lost or self.closing is not None

    @staticmethod
    def _open(latches: list[Latch]) -> None:
        for latch in latches:
            latch.open()
        latches.clear()
