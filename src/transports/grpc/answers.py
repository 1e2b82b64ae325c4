"""What one call has been answered and has not taken yet, in bounded room.

Two things come by themselves and could pile up where a peer reads slowly. Mail is
bounded by the session's window: what was acknowledged is dropped unread. A list is cut
off after some pages, for its call to ask again after the last name that it had; waiting
longer for room would hold up every other call of the session, perhaps the very one that
the peer wants answered before it reads on.
"""

import asyncio
from collections import deque
from typing import Final

from chatcore.errors import ChatError
from transports.codec._generated import chat_pb2 as pb
from transports.errors import LinkClosed

_MOST_PAGES: Final = 8
_ROOM_WITHIN_S: Final = 0.1


class CommandRefused(ChatError):
    """A command was refused, in the words of the wire."""

    def __init__(self, refused: pb.Refused) -> None:
        self.refused = refused
        super().__init__(f"[{refused.code}] {refused.text}")


class ListCut(ChatError):
    """Not all of a list had room; the rest has to be asked for."""


class Answers:
    """Events for one call, in order, then why there are no more.

    ``wants_mail`` says that mail is among them, once the call has started.
    """

    def __init__(self, *, wants_mail: bool) -> None:
        self.wants_mail = wants_mail
        self._events: deque[pb.Event] = deque()
        self._end: LinkClosed | ListCut | None = None
        self._is_cut = False
        self._put = asyncio.Event()
        self._taken = asyncio.Event()

    def put(self, *events: pb.Event) -> None:
        """Keep events to be taken."""
        self._events.extend(events)
        self._put.set()

    async def put_page(self, event: pb.Event) -> None:
        """Keep a page of a list, or cut the list off here when it finds no room.

        The call learns that only when the list is over: it never runs twice at once.
        """
        if not self._is_cut and len(self._events) >= _MOST_PAGES:
            self._is_cut = not await self._has_room()
        if not self._is_cut:
            self.put(event)
        elif event.listed.complete:
            self.end(ListCut())

    async def _has_room(self) -> bool:
        self._taken.clear()
        try:
            async with asyncio.timeout(_ROOM_WITHIN_S):
                await self._taken.wait()
        except TimeoutError:
            return False
        return True

    def end(self, end: LinkClosed | ListCut) -> None:
        """Let ``end`` be raised once all events are taken."""
        self._end = self._end or end
        self._put.set()

    def forget(self, position: int) -> None:
        """Drop mail up to ``position``, which its reader has acknowledged."""
        events = self._events
        while events and 0 < mail_position(events[0]) <= position:
            events.popleft()

    async def next(self) -> pb.Event:
        """The next event.

        Raises:
            CommandRefused: that was its answer.
            ListCut: the list goes on, but not here.
            LinkClosed: the session has ended, or moved to another link.
        """
        while not self._events:
            if self._end is not None:
                raise self._end
            self._put.clear()
            await self._put.wait()
        event = self._events.popleft()
        self._taken.set()
        if event.WhichOneof("event") == "refused":
            raise CommandRefused(event.refused)
        return event


class UnacknowledgedMail:
    """The mail of one session that its calls have been given and none has acknowledged.

    A call may end before its peer has read what it was given, so the next one that
    wants mail is given all of it again. The session's window bounds how much that is.
    """

    def __init__(self) -> None:
        self._unacknowledged: deque[pb.Event] = deque()
        self._readers: list[Answers] = []

    def put(self, event: pb.Event) -> None:
        """Give each reader what was delivered, and keep it."""
        self._unacknowledged.append(event)
        for reader in self._readers:
            reader.put(event)

    def begin(self, reader: Answers) -> None:
        """Give a call what is not acknowledged, and then what comes."""
        reader.put(*self._unacknowledged)
        self._readers.append(reader)

    def leave(self, reader: Answers) -> None:
        """Give a call no more, if it ever was given any."""
        if reader in self._readers:
            self._readers.remove(reader)

    def forget(self, position: int) -> None:
        """Drop what is acknowledged, up to ``position``."""
        mail = self._unacknowledged
        while mail and mail_position(mail[0]) <= position:
            mail.popleft()
        for reader in self._readers:
            reader.forget(position)


def mail_position(event: pb.Event) -> int:
    """The position of a message or bounce; 0 for what is no mail."""
    match event.WhichOneof("event"):
        case "delivered":
            return event.delivered.position
        case "bounced":
            return event.bounced.position
        case _:
            return 0
