"""An erasure log in memory, which fails when the test says so."""

from collections.abc import Sequence

from chatcore.errors import StoreUnavailable
from chatcore.model import Erasure, LoggedErasure, LogMark


class MemoryErasureLog:
    """See ``chatcore.ports.ErasureLog``.

    Attributes:
        erasures: each that was appended, by its number.
        withdrawn: the numbers of those that were withdrawn.
        is_full: whether nothing more can be written.
        holds_withdrawals: whether nothing can be withdrawn just now.
    """

    def __init__(self) -> None:
        self.erasures: dict[int, Erasure] = {}
        self.withdrawn: set[int] = set()
        self.is_full = False
        self.holds_withdrawals = False
        self._last = 0

    async def after(
        self,
        identity: bytes,  # noqa: ARG002  # there is one store only
        mark: LogMark,
    ) -> Sequence[LoggedErasure]:
        return [
            LoggedErasure(
                _mark(number),
                None if number in self.withdrawn else self.erasures.get(number),
            )
            for number in range(mark.sequence + 1, self._last + 1)
        ]

    async def append(self, erasure: Erasure) -> LogMark:
        mark = self._next()
        self.erasures[mark.sequence] = erasure
        return mark

    async def withdraw(self, mark: LogMark) -> LogMark:
        if self.holds_withdrawals:
            raise StoreUnavailable(reason="the erasure log: Input/output error")
        at = self._next()
        self.withdrawn.add(mark.sequence)
        return at

    def _next(self) -> LogMark:
        if self.is_full:
            raise StoreUnavailable(reason="the erasure log: No space left on device")
        self._last += 1
        return _mark(self._last)


def _mark(number: int) -> LogMark:
    return LogMark(number, b"digest of %d" % number)
