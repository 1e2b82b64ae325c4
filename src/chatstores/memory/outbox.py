"""Webhooks of the memory store: gone with its process, as the messages are."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from chatcore.ids import AccountId, Position
from chatcore.model import Deposit
from chatcore.outbox import QueuedWebhook, Retry
from chatstores.memory.rows import AccountRow

_Place: TypeAlias = tuple[int, float]
"""When one is due, and its number."""


@dataclass(slots=True, eq=False)
class WebhookRow:
    """A webhook, and what became of it so far."""

    number: int
    target: str
    due_at_ms: int
    told: QueuedWebhook
    failed: bool = False

    @property
    def place(self) -> _Place:
        """Where it is among those that wait."""
        return self.due_at_ms, self.number


class MemoryOutbox:
    """See ``chatcore.outbox.Outbox``.

    Attributes:
        targets: for whom webhooks are kept; for nobody before ``begin``.
        failed: how many have failed for good.
    """

    def __init__(self) -> None:
        self.targets: Sequence[str] = ()
        self.failed = 0
        self._with_body = False
        self._last = 0
        self._rows: dict[int, WebhookRow] = {}
        self._waiting: dict[str, list[_Place]] = {}  # by target, sorted

    @property
    def waiting(self) -> int:
        """How many have not failed for good."""
        return len(self._rows) - self.failed

    async def begin(
        self, targets: Sequence[str], *, with_body: bool, retry_failed: bool
    ) -> None:
        """Keep webhooks from now on."""
        self.targets = tuple(targets)
        self._with_body = with_body
        for row in self._rows.values():
            if row.target not in self.targets:
                self._fail(row)
            elif row.failed and retry_failed:
                row.failed = False
                self.failed -= 1
                row.due_at_ms = 0
                row.told = row.told._replace(attempts=0)
                self._wait(row)

    def keep(
        self, sender: AccountRow, it: Deposit, recipient: AccountId, position: Position
    ) -> None:
        """Keep what is to be told of a message that is being stored."""
        for target in self.targets:
            self._last += 1
            told = QueuedWebhook(
                self._last,
                0,
                it.sender_id,
                sender.username,
                recipient,
                it.recipient,
                position,
                it.sent_at_ms,
                it.body if self._with_body else None,
            )
            row = WebhookRow(self._last, target, it.sent_at_ms, told)
            self._rows[self._last] = row
            self._wait(row)

    async def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        """What a target is to be told now."""
        waiting = self._waiting.get(target, [])
        now = bisect_right(waiting, (now_ms, inf))
        never = bisect_right(waiting, (now_ms + longest_ms, inf))
        places = waiting[: min(now, limit)]
        places += waiting[never : never + limit - len(places)]
        return [self._rows[int(number)].told for _, number in places]

    async def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        """Take note of what became of some."""
        for number in sent:
            row = self._rows.get(number)
            if row is not None and not row.failed:
                self._leave(row)
                del self._rows[number]
        for number, due_at_ms in again:
            row = self._rows.get(number)
            if row is not None and not row.failed:
                self._leave(row)
                row.due_at_ms = due_at_ms
                row.told = row.told._replace(attempts=row.told.attempts + 1)
                self._wait(row)
        for number in failed:
            row = self._rows.get(number)
            if row is not None:
                self._fail(row)

    def drop_bodies(self, account: AccountId, *, sent: bool) -> None:
        """Tell no body of a message to this account; with ``sent``, nor from it."""
        for row in self._rows.values():
            told = row.told
            if told.recipient_id == account or (sent and told.sender_id == account):
                row.told = told._replace(body=None)

    def forget(self, before_ms: int) -> None:
        """Drop those that have failed whose messages are older."""
        for number, row in list(self._rows.items()):
            if row.failed and row.told.sent_at_ms < before_ms:
                del self._rows[number]
                self.failed -= 1

    def _fail(self, row: WebhookRow) -> None:
        if not row.failed:
            self._leave(row)
            row.failed = True
            self.failed += 1

    def _wait(self, row: WebhookRow) -> None:
        insort(self._waiting.setdefault(row.target, []), row.place)

    def _leave(self, row: WebhookRow) -> None:
        waiting = self._waiting[row.target]
        del waiting[bisect_left(waiting, row.place)]
