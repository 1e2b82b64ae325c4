"""``HttpWebhooks``: sends what is in a store's outbox, to each target by itself."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from chatcore.outbox import Outbox
from chatcore.ports import Clock
from chatwebhooks.errors import BadWebhookSecret
from chatwebhooks.settings import WebhookSettings
from chatwebhooks.target_queue import Counts, TargetQueue
from chatwebhooks.targets import check_target

FINISH_S: Final = 5.0
"""How long those that are under way are waited for when the chat stops."""


class HttpWebhooks:
    """Tells other programs of each message by HTTP, at least once::

        secrets = parse_webhook_secrets(Path("webhook-secret").read_text())
        webhooks = HttpWebhooks(["https://app.example/chat"], secrets=secrets)
        chat = Chat(store, webhooks=webhooks)

    Each new message is a POST to each target, of JSON that says who sent to whom, when,
    and the position; the text only ``with_body``. An answer other than 2xx is tried
    again, with waits that double, and after ``settings.attempts`` kept as failed. They
    may arrive in any order, and more than once, with the same ``webhook-id``.

    Args:
        targets: URLs of ``https:``, or ``http:`` where nobody else can read it.
        secrets: what they are signed with, each by itself (``parse_webhook_secrets``).
        with_body: whether the text of messages is told, and kept for that.
        retry_failed: whether those that failed for good before are tried again.
        settings: how often, how many, how long.

    Attributes:
        counts: what was sent, and not taken, since this was made.

    Raises:
        BadWebhookTarget: a URL that is none.
        BadWebhookSecret: there is none.
    """

    def __init__(
        self,
        targets: Sequence[str],
        *,
        secrets: Sequence[bytes],
        with_body: bool = False,
        retry_failed: bool = False,
        settings: WebhookSettings | None = None,
    ) -> None:
        for url in targets:
            check_target(url)
        if not secrets:
            raise BadWebhookSecret("there is no secret to sign webhooks with")
        self.targets = tuple(dict.fromkeys(targets))
        self.with_body = with_body
        self.retry_failed = retry_failed
        self.counts = Counts()
        self._secrets = tuple(secrets)
        self._settings = settings or WebhookSettings()
        # The extra has to be installed, which is better known now than when it is run.
        from chatwebhooks.posting import posting_to  # noqa: PLC0415  # as above

        self._posting_to = posting_to
        self._queues: list[TargetQueue] = []
        self._ended = asyncio.Event()

    def wake(self) -> None:
        """See ``chatcore.outbox.Webhooks``."""
        for queue in self._queues:
            queue.wake()

    async def run(self, outbox: Outbox, clock: Clock, identity: bytes) -> None:
        """See ``chatcore.outbox.Webhooks``."""
        self._ended = asyncio.Event()
        self._queues = [
            TargetQueue(
                url,
                outbox,
                clock,
                identity,
                self._secrets,
                self._settings,
                self.counts,
                random.random,
            )
            for url in self.targets
        ]
        try:
            async with asyncio.TaskGroup() as tasks:
                for queue in self._queues:
                    tasks.create_task(self._serve(queue))
        finally:
            self._queues = []
            self._ended.set()

    async def _serve(self, queue: TargetQueue) -> None:
        settings = self._settings
        sending = self._posting_to(
            queue.url, at_once=settings.at_once, within_s=settings.within_s
        )
        async with sending as posting:
            await queue.run(posting)

    async def finish(self) -> None:
        """See ``chatcore.outbox.Webhooks``."""
        if not self._queues:
            return
        for queue in self._queues:
            queue.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._ended.wait()
