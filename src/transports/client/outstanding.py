"""Commands that wait for their answers, and what becomes of them on a new link."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from chatcore.commands import ChangePassword, Command, List, Login, Request
from chatcore.errors import ChatError, OutcomeUnknown
from chatcore.events import Event, Listed

_OWN_LOGIN_S: Final = 5.0


@dataclass(slots=True)
class Pending:
    """One command under way: its answer ends it; a list has pages before, then None."""

    command: Command
    answer: asyncio.Future[Event]
    pages: asyncio.Queue[Listed | None] | None = field(default=None)
    was_sent: bool = field(default=False)
    repeated_at_s: float | None = field(default=None)

    def close_pages(self) -> None:
        """Tell a reader of pages to look at the answer."""
        if self.pages is not None:
            self.pages.put_nowait(None)


class Outstanding:
    """Numbers commands and finds them again by the id that an answer names (W7)."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._pending)

    def command(self, command_id: int) -> Command | None:
        """The command of an id that has no answer yet."""
        pending = self._pending.get(command_id)
        return pending.command if pending is not None else None

    def add(self, pending: Pending) -> Request:
        """Number a command."""
        self._last_id = self._last_id % 0xFFFF_FFFF + 1
        self._pending[self._last_id] = pending
        return Request(self._last_id, pending.command)

    def page(self, listed: Listed) -> None:
        """Take a page of a list, and remember where a new link has to go on."""
        pending = self._pending.get(listed.id)
        if pending is None or pending.pages is None:
            return
        pending.pages.put_nowait(listed)
        if listed.names and isinstance(pending.command, List):
            pending.command = replace(pending.command, after=listed.names[-1])
        if listed.complete:
            self.finish(listed.id, listed)

    def finish(self, command_id: int, event: Event) -> None:
        """Hand an answer to whoever waits for it."""
        pending = self._pending.pop(command_id, None)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(event)
            pending.close_pages()

    def refuse(self, command_id: int, error: ChatError) -> None:
        """Raise at whoever waits for an answer."""
        pending = self._pending.pop(command_id, None)
        if pending is not None and not pending.answer.done():
            pending.answer.set_exception(error)
            pending.close_pages()

    def refuse_all(self, error: ChatError) -> None:
        """Raise at everyone: no answer will come."""
        for command_id in list(self._pending):
            self.refuse(command_id, error)

    def to_repeat(self) -> Iterator[Request]:
        """What a new link has to ask again, in order.

        Sends, creations and deletions carry keys, so that a repeat is not a second
        one. A change of password has none: nobody knows what became of it.
        """
        for command_id, pending in list(self._pending.items()):
            if isinstance(pending.command, ChangePassword):
                self.refuse(command_id, OutcomeUnknown())
            elif pending.answer.cancelled():
                del self._pending[command_id]
            else:
                if pending.was_sent and pending.repeated_at_s is None:
                    pending.repeated_at_s = time.monotonic()
                pending.was_sent = True
                yield Request(command_id, pending.command)

    def may_be_ours(self, command_id: int) -> bool:
        """Whether an account in use may be in use by an earlier try of this login.

        Its link was lost before the answer came, and the server may not have seen that
        yet: so it looks for a few seconds.
        """
        pending = self._pending.get(command_id)
        if pending is None or not isinstance(pending.command, Login):
            return False
        began_s = pending.repeated_at_s
        return began_s is not None and time.monotonic() - began_s < _OWN_LOGIN_S
