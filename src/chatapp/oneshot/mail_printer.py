"""Printing what comes: each message is acknowledged once it is printed, not before."""

import asyncio
import math

from chatapp.oneshot import records
from chatapp.oneshot.record_writer import RecordWriter
from transports import Client


class MailPrinter:
    """Prints mail until there was enough of it, or time is up.

    Attributes:
        printed: how many messages and bounces were.
    """

    def __init__(
        self, client: Client, output: RecordWriter, *, count: int | None = None
    ) -> None:
        self._client = client
        self._output = output
        self._count = count
        self._until_s = math.inf
        self._waiting: asyncio.Timeout | None = None
        self.printed = 0

    async def run(self) -> None:
        """Print what comes; ends with the session too.

        Cancelled, or when printing fails, it acknowledges only the messages before.

        Raises:
            BrokenPipeError, CannotWrite: it could not be printed.
        """
        loop = asyncio.get_running_loop()
        mail = self._client.mail()
        while self.printed != self._count and loop.time() < self._until_s:
            try:
                async with asyncio.timeout_at(self._until_s) as self._waiting:
                    piece = await anext(mail)
            except (TimeoutError, StopAsyncIteration):
                return
            finally:
                self._waiting = None
            await self._output.print(records.mail(piece))
            try:
                await self._output.taken()
            finally:
                # Also when a signal came just after its reader took it.
                if self._output.is_taken:
                    self._client.acknowledge()
                    self.printed += 1
            # Lets the acknowledgement out and signals in, however much waits.
            await asyncio.sleep(0)

    def end_at(self, until_s: float) -> None:
        """Wait for nothing more from then on, on the event loop's clock.

        A message that is being printed then is printed to its end: half of one would
        come again.
        """
        self._until_s = until_s
        if self._waiting is not None:
            self._waiting.reschedule(until_s)
