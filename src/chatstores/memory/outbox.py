"""Webhooks of the memory store: gone with its process, as the messages are."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from chatcore.ids import AccountId, Position
from chatcore.model import Deposit
from chatcore.outbox import QueuedWebhook, Retry
from chatstores.memory.rows import AccountRow


@dataclass(slots=True, eq=False)
class WebhookRow:
    """A webhook, and what became of it so far."""

    number: int
    target: str
    due_at_ms: int
    told: QueuedWebhook
    failed: bool = False


class MemoryOutbox:
    """See ``chatcore.outbox.Outbox``.

    Attributes:
        targets: for whom webhooks are kept; for nobody before ``begin``.
    """

    def __init__(self) -> None:
        self.targets: Sequence[str] = ()
        self._with_body = False
        self._last = 0
        self._rows: dict[int, WebhookRow] = {}

    @property
    def waiting(self) -> int:
        """How many have not failed for good."""
        return len(self._rows) - self.failed

    @property
    def failed(self) -> int:
        """How many have."""
        return sum(it.failed for it in self._rows.values())

    async def begin(
        self, targets: Sequence[str], *, with_body: bool, retry_failed: bool
    ) -> None:
        """Keep webhooks from now on."""
        self.targets = tuple(targets)
        self._with_body = with_body
        for row in self._rows.values():
            if row.target not in self.targets:
                row.failed = True
            elif row.failed and retry_failed:
                row.failed = False
                row.due_at_ms = 0
                row.told = row.told._replace(attempts=0)

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

    async def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        """What a target is to be told now."""
        waiting = [
            it for it in self._rows.values() if it.target == target and not it.failed
        ]
        waiting.sort(key=attrgetter("due_at_ms", "number"))
        due = [it for it in waiting if it.due_at_ms <= now_ms]
        due += [it for it in waiting if it.due_at_ms > now_ms + longest_ms]
        return [it.told for it in due[:limit]]

    async def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        """Take note of what became of some."""
        for number in sent:
            self._rows.pop(number, None)
        for number, due_at_ms in again:
            row = self._rows.get(number)
            if row is not None:
                row.due_at_ms = due_at_ms
                row.told = row.told._replace(attempts=row.told.attempts + 1)
        for number in failed:
            row = self._rows.get(number)
            if row is not None:
                row.failed = True

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
