"""Which TLS handshakes may be under way, of all listeners of a server (B1 to B3)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

PATIENCE_S: Final = 3.0
"""How long a handshake whose peer has the word is safe from newcomers: a peer that
means it answers within a round trip."""
AT_ONCE: Final = 1
"""In a turn of the event loop: the signature of one takes a millisecond, and several
with a long key of RSA."""


class Handshake(Protocol):
    """One that is under way."""

    @property
    def waits_its_turn(self) -> bool:
        """Whether it is the server that has to go on with it."""
        ...


class Turns(Protocol):
    """See ``transports.fair_scheduler.FairScheduler``."""

    def admits(self, go_on: Callable[[], None]) -> bool:
        """Whether it is one's turn; if not, ``go_on`` is called when it is."""
        ...


@dataclass(frozen=True, slots=True)
class _Place:
    network: str
    began_s: float


class TlsHandshakes:
    """Bounds how many there are: OpenSSL keeps some 44 KiB for each that has begun.

    Above the bound one ends for a newcomer. That is the oldest of the network that has
    more of them than any other, where the newcomer's has fewer; or the oldest of all,
    where its peer has let the server wait for ``PATIENCE_S``; else it is the newcomer:
    to end others for it would, when all come back at once, end them just before they
    are done.

    Attributes:
        turns: lets ``AT_ONCE`` of them go on in a turn of the event loop (B2).
    """

    def __init__(self, most: int, turns: Turns) -> None:
        self._most = most
        self._places: dict[Handshake, _Place] = {}
        self._numbers: Counter[str] = Counter()
        self.turns = turns

    def enter(
        self, handshake: Handshake, network: str, now_s: float
    ) -> Handshake | None:
        """Count one that begins; the one that has to end for it, if one has to.

        ``network`` is where it comes from, as limits count it.
        """
        self._places[handshake] = _Place(network, now_s)
        self._numbers[network] += 1
        if len(self._places) <= self._most:
            return None
        excess = self._excess(handshake, now_s)
        self.leave(excess)
        return excess

    def leave(self, handshake: Handshake) -> None:
        """One is over; again does nothing."""
        place = self._places.pop(handshake, None)
        if place is not None:
            self._numbers[place.network] -= 1
            if not self._numbers[place.network]:
                del self._numbers[place.network]

    def _excess(self, newcomer: Handshake, now_s: float) -> Handshake:
        [(largest, number)] = self._numbers.most_common(1)
        if number > self._numbers[self._places[newcomer].network]:
            return next(it for it, at in self._places.items() if at.network == largest)
        oldest, place = next(iter(self._places.items()))
        is_stalled = now_s - place.began_s >= PATIENCE_S and not oldest.waits_its_turn
        return oldest if is_stalled else newcomer
