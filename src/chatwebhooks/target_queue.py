"""What one target is told: some at a time, and what it did not take again later."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from chatcore.errors import Outage
from chatcore.outbox import Outbox, QueuedWebhook, Retry
from chatcore.ports import Clock
from chatwebhooks.payload import payload, webhook_id
from chatwebhooks.refusal_log import RefusalLog
from chatwebhooks.secrets import signatures
from chatwebhooks.settings import WebhookSettings

_log = logging.getLogger(__name__)

_MS: Final = 1000
RETRIES_SEEN_EVERY_S: Final = 0.5
"""How often is looked for webhooks whose wait is over, while there are some."""

NEW_SEEN_EVERY_S: Final = 5.0
"""How often is looked for new ones that nobody told of: the store has committed a
message and could not say so."""

REFUSED_EVERY_S: Final = 0.05
"""A target that takes nothing is asked so often: however much waits for it costs the
chat no more than that."""


class Posting(Protocol):
    """Sends to a target; ``posting.HttpPosting`` does."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Why it was not taken; empty when it was."""
        ...


@dataclass(slots=True)
class Counts:
    """Attempts since the start: those that were taken, and those that were not."""

    sent: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Settling:
    """What became of attempts, and is not in the store yet."""

    sent: list[int] = field(default_factory=list)
    again: list[Retry] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def numbers(self) -> list[int]:
        """All that are settled by it."""
        return [*self.sent, *(it.number for it in self.again), *self.failed]


class TargetQueue:
    """Sends to one target.

    Nothing is read ahead of its turn: what an erasure has taken out of the store
    meanwhile is told nobody.

    Attributes:
        url: the target.
    """

    def __init__(
        self,
        url: str,
        outbox: Outbox,
        clock: Clock,
        identity: bytes,
        secrets: Sequence[bytes],
        settings: WebhookSettings,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self.url = url
        self._outbox = outbox
        self._clock = clock
        self._identity = identity
        self._secrets = secrets
        self._settings = settings
        self._counts = counts
        self._chance = chance
        self._under_way: set[int] = set()
        self._settling = _Settling()
        self._changed = asyncio.Event()
        self._is_stopping = False
        self._refused_in_a_row = 0
        self._next_at_s = 0.0
        self._refusal_log = RefusalLog(url, clock)

    def wake(self) -> None:
        """There may be new ones."""
        self._changed.set()

    def stop(self) -> None:
        """Begin no more."""
        self._is_stopping = True
        self._changed.set()

    async def run(self, posting: Posting) -> None:
        """Send until this is cancelled, or it was stopped and nothing is under way."""
        async with asyncio.TaskGroup() as attempts:
            while not (self._is_stopping and not self._under_way):
                self._changed.clear()
                try:
                    await self._settle()
                    for it in await self._due():
                        self._under_way.add(it.number)
                        attempts.create_task(self._try(posting, it))
                except Outage as outage:
                    _log.warning("Webhooks wait for the store: %s", outage)
                    await asyncio.sleep(RETRIES_SEEN_EVERY_S)
                else:
                    await self._wait()

    async def _wait(self) -> None:
        """Return when something has changed, or a wait may be over."""
        if self._is_stopping and not self._under_way:
            return
        is_more = self._outbox.waiting > len(self._under_way)
        seconds = RETRIES_SEEN_EVERY_S if is_more else NEW_SEEN_EVERY_S
        if is_more and self._is_slowed:
            seconds = REFUSED_EVERY_S
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    @property
    def _is_slowed(self) -> bool:
        """Whether the target takes nothing at present."""
        return self._refused_in_a_row >= self._settings.at_once

    async def _due(self) -> Sequence[QueuedWebhook]:
        """Those that are to be sent now."""
        room = self._settings.at_once - len(self._under_way)
        if room <= 0 or self._is_stopping:
            return ()
        if self._is_slowed:
            now_s = self._clock.monotonic_s()
            if now_s < self._next_at_s:
                return ()
            self._next_at_s = now_s + REFUSED_EVERY_S
            room = 1
        found = await self._outbox.due(
            self.url,
            now_ms=self._clock.now_ms(),
            longest_ms=int(self._settings.longest_retry_s * _MS),
            # Those under way are among them.
            limit=room + len(self._under_way),
        )
        return [it for it in found if it.number not in self._under_way][:room]

    async def _try(self, posting: Posting, it: QueuedWebhook) -> None:
        """Send one, and note what became of it."""
        try:
            reason = await self._send(posting, it)
        except Exception as error:  # noqa: BLE001  # a fault of ours ends no other
            _log.exception("A webhook could not be sent")
            reason = type(error).__name__
        self._note(it, reason)
        self._changed.set()

    async def _send(self, posting: Posting, it: QueuedWebhook) -> str:
        """Why it was not taken; empty when it was."""
        body, name = payload(it), webhook_id(self._identity, it)
        timestamp_s = self._clock.now_ms() // _MS
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signatures(self._secrets, name, timestamp_s, body),
        }
        return await posting.post(body, headers)

    def _note(self, it: QueuedWebhook, reason: str) -> None:
        if not reason:
            self._counts.sent += 1
            self._settling.sent.append(it.number)
            if self._is_slowed:
                self._refusal_log.tell_over()
            self._refused_in_a_row = 0
            return
        self._counts.refused += 1
        self._refused_in_a_row += 1
        attempts = it.attempts + 1
        is_given_up = attempts >= self._settings.attempts
        if is_given_up:
            self._settling.failed.append(it.number)
        else:
            wait_s = self._settings.retry_s(attempts, self._chance())
            due_at_ms = self._clock.now_ms() + int(wait_s * _MS)
            self._settling.again.append(Retry(it.number, due_at_ms))
        self._refusal_log.tell(reason, is_given_up=is_given_up)

    async def _settle(self) -> None:
        """Have the store note what became of attempts."""
        settling = self._settling
        numbers = settling.numbers()
        if not numbers:
            return
        self._settling = _Settling()
        try:
            await self._outbox.settle(
                sent=settling.sent, again=settling.again, failed=settling.failed
            )
        except Outage:
            # Later, with the others: they count as under way until then.
            self._settling.sent += settling.sent
            self._settling.again += settling.again
            self._settling.failed += settling.failed
            raise
        self._under_way.difference_update(numbers)
