"""Commands that wait for their answers, and what becomes of them on a new link.

At most ``MOST_UNDER_WAY`` are written and not answered. Those over it wait in the order
in which they were asked, and so do all while no link is open.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    List,
    Login,
    Request,
    Send,
)
from chatcore.errors import ChatError, Refusal
from chatcore.events import Listed
from transports.client.events import (
    Answer,
    ClientEvent,
    CommandAnswered,
    PageArrived,
)
from transports.client.key_generator import (
    KeyGenerator,
    steady_ms,
    wants_key,
    with_key,
)
from transports.client.page_buffer import PageBuffer
from transports.client.passwords import after_refused_repeat

MOST_UNDER_WAY: Final = 1000
"""Just under what a server lets wait of one session before it stops reading (W8)."""

_OWN_LOGIN_S: Final = 5.0


@dataclass(slots=True)
class PendingCommand:
    """One command without an answer; a list has pages before its answer.

    Attributes:
        has_own_key: its key was made here, and may be made anew while nothing can
            have been stored under it.
        was_sent: it was written to a link.
        is_abandoned: nobody waits for its answer any more.
        repeated_at_s: when it was first to be written to another link than before.
        was_rekeyed: its key was refused, and another is made for the next link.
    """

    command: Command = field(repr=False)
    pages: PageBuffer | None = field(default=None, repr=False)
    has_own_key: bool = field(default=False)
    was_sent: bool = field(default=False)
    is_abandoned: bool = field(default=False)
    repeated_at_s: float | None = field(default=None)
    was_rekeyed: bool = field(default=False)


class PendingCommands:
    """Numbers commands and finds them again by the id that an answer names (W7).

    ``tell`` is called with what becomes of them; ``keys`` makes keys for those that
    have none.
    """

    def __init__(self, tell: Callable[[ClientEvent], None], keys: KeyGenerator) -> None:
        self._tell = tell
        self._keys = keys
        self._under_way: dict[int, PendingCommand] = {}
        self._waiting: OrderedDict[int, PendingCommand] = OrderedDict()
        self._lists: dict[int, PageBuffer] = {}
        self._cut_lists: dict[int, PendingCommand] = {}
        self._last_id = 0
        self._held = 0

    # ---- asking

    def add(self, command: Command, now_s: float) -> int:
        """Number a command; never with a number that is still in use.

        A send, create or delete without a key gets one (M2, D6), but for a dry run.
        """
        while True:
            command_id = self._last_id = self._last_id % 0xFFFF_FFFF + 1
            if not (
                command_id in self._under_way
                or command_id in self._waiting
                or command_id in self._lists
            ):
                break
        has_own_key = wants_key(command)
        if has_own_key:
            command = with_key(command, self._keys.make(steady_ms(now_s)))
        pages = None
        if isinstance(command, List):
            pages = self._lists[command_id] = PageBuffer()
        self._waiting[command_id] = PendingCommand(command, pages, has_own_key)
        return command_id

    def abandon(self, command_id: int) -> None:
        """Nobody waits for an answer: nothing is told of this command any more.

        What was written stays under way until it is answered.
        """
        self._lists.pop(command_id, None)
        self._cut_lists.pop(command_id, None)
        self._waiting.pop(command_id, None)
        pending = self._under_way.get(command_id)
        if pending is not None:
            pending.is_abandoned = True

    def withdraw(self, command_id: int, error: ChatError) -> None:
        """Refuse a command that was not admitted yet: it is never written."""
        del self._waiting[command_id]
        self._tell(CommandAnswered(command_id, error))

    @property
    def may_admit(self) -> bool:
        """Whether a command waits that may be under way."""
        return bool(self._waiting) and len(self._under_way) < MOST_UNDER_WAY

    def admit(self) -> list[Request]:
        """What may be written now of that which waits; it is under way from now on."""
        admitted: list[Request] = []
        room = MOST_UNDER_WAY - len(self._under_way)
        while self._waiting and len(admitted) < room:
            command_id, pending = self._waiting.popitem(last=False)
            self._under_way[command_id] = pending
            admitted.append(Request(command_id, pending.command))
        return admitted

    def mark_sent(self, command_id: int) -> None:
        """Take note that a command is written now."""
        pending = self._under_way.get(command_id)
        if pending is not None:
            pending.was_sent = True

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still waits for an answer."""
        return bool(self._waiting) or any(
            not it.is_abandoned for it in self._under_way.values()
        )

    @property
    def is_logging_in(self) -> bool:
        """Whether a login of a caller was written and has no answer yet."""
        return any(
            isinstance(it.command, Login) and it.was_sent
            for it in self._under_way.values()
        )

    def asked(self, command_id: int) -> Command | None:
        """The command of an id that was written and has no answer yet."""
        pending = self._under_way.get(command_id)
        return pending.command if pending is not None and pending.was_sent else None

    # ---- answers

    def finish(self, command_id: int, answer: Answer) -> None:
        """A command is answered or refused, or gets no answer."""
        pending = self._under_way.pop(command_id, None)
        if pending is not None and not pending.is_abandoned:
            self._tell(CommandAnswered(command_id, answer))

    @property
    def last_id(self) -> int:
        """The last id that was given."""
        return self._last_id

    def number_after(self, last_id: int) -> None:
        """Give ids from here on, and none that was given shortly before."""
        self._last_id = last_id

    def refuse_all(self, error: ChatError) -> list[Send]:
        """No answer will come any more, to nobody; the messages that have none, in the
        order of their asking, but those that nobody waits for.
        """
        self._under_way |= self._waiting | self._cut_lists
        awaited = [it.command for it in self._under_way.values() if not it.is_abandoned]
        self._waiting.clear()
        self._cut_lists.clear()
        for command_id in list(self._under_way):
            self.finish(command_id, error)
        return [it for it in awaited if isinstance(it, Send)]

    def page(self, listed: Listed) -> None:
        """Take a page of a list, and remember where a new link has to go on."""
        pending = self._under_way[listed.id]
        pages = None if pending.is_abandoned else pending.pages
        if pages is not None and pages.keep(listed):
            if listed.names and isinstance(pending.command, List):
                pending.command = replace(pending.command, after=listed.names[-1])
            self._tell(PageArrived(listed.id))
        if not listed.complete:
            return
        if pages is not None and pages.is_cut:
            self._cut_lists[listed.id] = self._under_way.pop(listed.id)
            self._tell(PageArrived(listed.id))
        else:
            self.finish(listed.id, listed)

    def take_page(self, command_id: int) -> Listed | None:
        """The next page that is kept of a list; None for none.

        Where a list was cut and all that was kept is taken, it is asked again.
        """
        pages = self._lists.get(command_id)
        page = pages.take() if pages is not None else None
        if page is None and command_id in self._cut_lists:
            pending = self._cut_lists.pop(command_id)
            pending.was_sent = False
            pending.repeated_at_s = None
            if pages is not None:
                pages.restart()
            self._waiting[command_id] = pending
        return page

    # ---- refusals that are not the end

    def retry_password(self, command_id: int, refusal: Refusal) -> Request | None:
        """What to ask where a change of password that was repeated is refused.

        None where there is nothing more to ask, and who asked is told.
        """
        pending = self._under_way[command_id]
        if not isinstance(pending.command, ChangePassword):
            return None
        instead = after_refused_repeat(pending.command, refusal)
        if isinstance(instead, ChangePassword):
            pending.command = instead
            return Request(command_id, instead)
        self.finish(command_id, instead)
        return None

    def is_repeated_change(self, command_id: int) -> bool:
        """Whether this is a change of password that an earlier link was asked for."""
        pending = self._under_way.get(command_id)
        return (
            pending is not None
            and isinstance(pending.command, ChangePassword)
            and pending.repeated_at_s is not None
        )

    def changes_under_way(self) -> list[tuple[int, ChangePassword]]:
        """Changes of password that a server may have carried out, in order."""
        return [
            (command_id, pending.command)
            for command_id, pending in self._under_way.items()
            if isinstance(pending.command, ChangePassword) and pending.was_sent
        ]

    def may_be_own_session(self, command_id: int, now_s: float) -> bool:
        """Whether an account in use may be in use by an earlier try of this login.

        Its link was lost before the answer came, and the server may not have seen that
        yet: so it looks for a few seconds.
        """
        pending = self._under_way.get(command_id)
        if pending is None or not isinstance(pending.command, Login):
            return False
        began_s = pending.repeated_at_s
        return began_s is not None and now_s - began_s < _OWN_LOGIN_S

    def may_make_key_anew(self, command_id: int) -> bool:
        """Whether a key that is refused was ours, and the first try under it: nothing
        is stored under it.
        """
        pending = self._under_way.get(command_id)
        return (
            pending is not None
            and pending.has_own_key
            and pending.repeated_at_s is None
            and not pending.was_rekeyed
        )

    def hold_for_key(self, command_id: int) -> None:
        """Keep a command for the next link, and a key of the clock that it tells."""
        pending = self._under_way[command_id]
        pending.was_rekeyed, pending.was_sent = True, False
        self._held += 1

    @property
    def wants_new_clock(self) -> bool:
        """Whether commands wait for a key, and no other that is answered soon may have
        to: then nothing is lost with the link.
        """
        return self._held > 0 and all(
            it.was_rekeyed and not it.was_sent
            for it in self._under_way.values()
            if isinstance(it.command, Send | Create)
        )

    # ---- a new link

    def to_repeat(self, now_s: float) -> list[Request]:
        """What a new link has to ask again, in order.

        Sends, creations and deletions carry keys, so that a repeat is not a second
        one; those that were never written get keys of the clock that the new link has
        told (B7). A change of password is settled before, or is harmless (A6).
        """
        self._held = 0
        now_ms = steady_ms(now_s)
        repeated: list[Request] = []
        for command_id, pending in list(self._under_way.items()):
            if pending.is_abandoned:
                del self._under_way[command_id]
                continue
            if pending.was_sent and pending.repeated_at_s is None:
                pending.repeated_at_s = now_s
            elif not pending.was_sent and pending.has_own_key:
                pending.command = with_key(pending.command, self._keys.make(now_ms))
            if pending.pages is not None:
                pending.pages.restart()
            repeated.append(Request(command_id, pending.command))
        for pending in self._waiting.values():
            if pending.has_own_key:
                pending.command = with_key(pending.command, self._keys.make(now_ms))
        return repeated
