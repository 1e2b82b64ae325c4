"""A say before messages are stored: no more than a few in a minute for each sender.

The chat asks the policy once for all the sends of a frame. What it refuses changes
nothing, and its sender is told with the policy's own words and number.

    python examples/send_policy.py
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from chatcore import Chat, Refusal, Send, Username, connect, open_store, serve


class TooFast(Refusal):
    """Numbers from 9000 on are for applications."""

    code = 9001
    template = "At most {most} messages a minute; try again in {retry_after_ms} ms."


class RateLimit:
    """At most so many messages a minute; see ``chatcore.SendPolicy``."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._sent_s: dict[Username, deque[float]] = defaultdict(deque)

    async def judge(
        self, sender: Username, sends: Sequence[Send]
    ) -> Sequence[Refusal | None]:
        """A refusal for each message that is too many."""
        now_s = self._clock()
        sent_s = self._sent_s[sender]
        while sent_s and sent_s[0] <= now_s - 60:
            sent_s.popleft()
        verdicts: list[Refusal | None] = []
        for _ in sends:
            if len(sent_s) < self._most:
                sent_s.append(now_s)
                verdicts.append(None)
            else:
                wait_ms = int((sent_s[0] + 60 - now_s) * 1000)
                verdicts.append(TooFast(most=self._most, retry_after_ms=wait_ms))
        return verdicts


async def main() -> None:
    """Send three messages where two are allowed."""
    async with (
        open_store("memory:") as store,
        serve(Chat(store, policy=RateLimit(2)), "tcp://127.0.0.1:0") as urls,
        connect(urls[0]) as ada,
    ):
        await ada.login("ada", "correct horse", create=True)
        for answer in await ada.send_all([("ada", "note")] * 3):
            print(answer if isinstance(answer, Refusal) else "stored")


if __name__ == "__main__":
    asyncio.run(main())
