"""Commands that wait for their answers, and what becomes of them on a new link."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    List,
    Login,
    Request,
    Send,
)
from chatcore.errors import ChatError
from chatcore.events import Event, Listed
from chatcore.ids import IdempotencyKey
from transports.client.pages import Pages

_OWN_LOGIN_S: Final = 5.0


@dataclass(slots=True)
class PendingCommand:
    """One command under way: its answer ends it; a list has pages before.

    Attributes:
        has_own_key: its key was made here, and may be made anew while nothing can
            have been stored under it.
        was_sent: it was written to a link.
        repeated_at_s: when it was first to be written to another link than before.
        was_rekeyed: its key was refused, and another is made for the next link.
    """

    command: Command = field(repr=False)
    answer: asyncio.Future[Event] = field(repr=False)
    pages: Pages | None = field(default=None, repr=False)
    has_own_key: bool = field(default=False)
    was_sent: bool = field(default=False)
    repeated_at_s: float | None = field(default=None)
    was_rekeyed: bool = field(default=False)

    @property
    def waits_for_key(self) -> bool:
        """Whether it goes out only on the next link, under a key of its clock."""
        return self.was_rekeyed and not self.was_sent

    def close_pages(self) -> None:
        """Tell a reader of pages to look at the answer."""
        if self.pages is not None:
            self.pages.finish()


class PendingCommands:
    """Numbers commands and finds them again by the id that an answer names (W7)."""

    def __init__(self) -> None:
        self._pending: dict[int, PendingCommand] = {}
        self._last_id = 0
        self._held = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still waits for an answer."""
        return any(not it.answer.done() for it in self._pending.values())

    @property
    def is_logging_in(self) -> bool:
        """Whether a caller's login has no answer yet."""
        return any(isinstance(it.command, Login) for it in self._pending.values())

    def find(self, command_id: int) -> PendingCommand | None:
        """What was asked under an id and has no answer yet."""
        return self._pending.get(command_id)

    def asked(self, command_id: int) -> Command | None:
        """The command of an id that was written and has no answer yet."""
        pending = self._pending.get(command_id)
        return pending.command if pending is not None and pending.was_sent else None

    def add(self, pending: PendingCommand) -> Request:
        """Number a command; never with a number that still waits for its answer."""
        while True:
            self._last_id = self._last_id % 0xFFFF_FFFF + 1
            if self._last_id not in self._pending:
                break
        self._pending[self._last_id] = pending
        return Request(self._last_id, pending.command)

    def mark_sent(self, command_id: int) -> None:
        """Take note that a command is written now."""
        pending = self._pending.get(command_id)
        if pending is not None:
            pending.was_sent = True

    def page(self, listed: Listed) -> None:
        """Take a page of a list, and remember where a new link has to go on."""
        pending = self._pending[listed.id]
        pages = pending.pages
        if pages is None or pending.answer.done():
            pages = None  # whoever asked has had enough
        elif pages.keep(listed) and listed.names and isinstance(pending.command, List):
            pending.command = replace(pending.command, after=listed.names[-1])
        if not listed.complete:
            return
        if pages is not None and pages.is_cut:
            del self._pending[listed.id]
            pages.let_pass()
        else:
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

    def ask_instead(self, command_id: int, command: Command) -> Request:
        """Ask something else for whoever waits under this id."""
        self._pending[command_id].command = command
        return Request(command_id, command)

    def to_repeat(self, make_key: Callable[[], IdempotencyKey]) -> Iterator[Request]:
        """What a new link has to ask again, in order.

        Sends, creations and deletions carry keys, so that a repeat is not a second
        one; those that were never written get keys of the clock that the new link has
        told (B7). A change of password is settled before, or is harmless (A6).
        """
        self._held = 0
        for command_id, pending in list(self._pending.items()):
            if pending.answer.cancelled():
                del self._pending[command_id]
                continue
            if pending.was_sent and pending.repeated_at_s is None:
                pending.repeated_at_s = time.monotonic()
            elif not pending.was_sent and pending.has_own_key:
                pending.command = with_key(pending.command, make_key())
            if pending.pages is not None:
                pending.pages.restart()
            yield Request(command_id, pending.command)

    def changes_under_way(self) -> list[tuple[int, ChangePassword]]:
        """Changes of password that a server may have carried out, in order."""
        return [
            (command_id, pending.command)
            for command_id, pending in self._pending.items()
            if isinstance(pending.command, ChangePassword) and pending.was_sent
        ]

    def may_make_key_anew(self, command_id: int) -> bool:
        """Whether a key that is refused was ours, and the first try under it: nothing
        is stored under it.
        """
        pending = self._pending.get(command_id)
        return (
            pending is not None
            and pending.has_own_key
            and pending.repeated_at_s is None
            and not pending.was_rekeyed
        )

    def hold_for_key(self, command_id: int) -> None:
        """Keep a command for the next link, and a key of the clock that it tells."""
        pending = self._pending[command_id]
        pending.was_rekeyed, pending.was_sent = True, False
        self._held += 1

    @property
    def wants_new_clock(self) -> bool:
        """Whether commands wait for a key, and no other that is answered soon may have
        to: then nothing is lost with the link.
        """
        return self._held > 0 and all(
            it.waits_for_key
            for it in self._pending.values()
            if isinstance(it.command, Send | Create)
        )

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


def with_key(command: Command, key: IdempotencyKey) -> Command:
    """The same command under another key."""
    if isinstance(command, Send | Create | Delete):
        return replace(command, key=key)
    return command
