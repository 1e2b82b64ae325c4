"""Where a client gets a proof of who its user is, which it shows the server.

It is asked for at a login, when a session is resumed over a new link, and before the
proof that was shown last expires.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from chatcore.commands import Prove
from chatcore.errors import ChatError, Refusal
from chatcore.events import Event
from transports.client.errors import ProofFailed

_log = logging.getLogger(__name__)

ProofSource: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A proof that stays the same, or what fetches one: a coroutine function, or a plain
one, which is called in a thread of its own and so may block.
"""

_FETCH_WITHIN_S: Final = 30.0
_BETWEEN_FETCHES_S: Final = 5.0


class Proofs:
    """Fetches proofs, and shows a new one in time.

    Args:
        source: see ``ProofSource``; None where there are none.
        ask: asks the server a command; raises ``ChatError`` for its refusal, and where
            nothing can be asked.

    Attributes:
        failure: why no new proof was shown, the last time that one was due.
    """

    def __init__(
        self, source: ProofSource | None, ask: Callable[[Prove], Awaitable[Event]]
    ) -> None:
        self._source = source
        self._ask = ask
        self._renewing: asyncio.Task[None] | None = None
        self.failure: ChatError | None = None

    async def fetch(self) -> str:
        """A proof to show now; empty where there are none.

        Raises:
            ProofFailed: the application's function has, or took too long.
        """
        source = self._source
        if source is None or isinstance(source, str):
            return source or ""
        try:
            async with asyncio.timeout(_FETCH_WITHIN_S):
                found = await _call(source)
        except TimeoutError as error:
            raise ProofFailed("it took too long") from error
        except Exception as error:
            raise ProofFailed(f"it raised {type(error).__name__}") from error
        if not isinstance(found, str) or not found:
            kind = "nothing" if found == "" else f"{type(found).__name__}, no text"
            raise ProofFailed(f"it returned {kind}")
        return found

    def renew(self, expires_in_ms: int) -> None:
        """Show a new proof, beside all else; tried again until the last expires."""
        if self._source is None:
            _log.warning(
                "What was shown of who is logged in expires, and is not renewed"
            )
            return
        if self._renewing is None or self._renewing.done():
            loop = asyncio.get_running_loop()
            ends_s = loop.time() + expires_in_ms / 1000
            self._renewing = loop.create_task(self._renew(ends_s))

    async def _renew(self, ends_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._ask(Prove(await self.fetch()))
            except ChatError as error:
                _log.warning("A new proof could not be shown: %s", error)
                self.failure = error
                wait_s = min(_BETWEEN_FETCHES_S, (ends_s - loop.time()) / 2)
                if wait_s < _BETWEEN_FETCHES_S / 100 or not _may_help(error):
                    return
                await asyncio.sleep(wait_s)
            else:
                self.failure = None
                return

    def end(self) -> None:
        """Renew nothing any more."""
        if self._renewing is not None:
            self._renewing.cancel()


def _may_help(error: ChatError) -> bool:
    """Whether to fetch once more; not when the client itself has ended."""
    return isinstance(error, ProofFailed | Refusal)


async def _call(source: Callable[[], str | Awaitable[str]]) -> object:
    if inspect.iscoroutinefunction(source):
        return await source()
    found = await asyncio.to_thread(source)
    return await found if inspect.isawaitable(found) else found
