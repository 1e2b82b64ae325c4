"""The client of the library: what an application calls."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    Deliver,
    DeliveryMode,
    InboxAction,
    List,
    Login,
    Logout,
    OutboxAction,
    Send,
)
from chatcore.errors import InvalidBody, Refusal
from chatcore.events import (
    Accepted,
    Bounced,
    Created,
    Deleted,
    Delivered,
    DeliveryFinished,
    Event,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
)
from chatcore.ids import AccountId, IdempotencyKey, Username
from chatcore.model import DeletionReceipt
from transports.client.conversation import Conversation
from transports.client.events import EventReader
from transports.client.key_generator import KeyGenerator
from transports.client.pages import Pages
from transports.client.pending_commands import PendingCommand

_Answer = TypeVar("_Answer", bound=Event)


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One account of a list, and whether somebody is logged in to it."""

    username: Username
    online: bool


class Client:
    """One user's end of a chat; ``connect`` makes one.

    Every method raises the server's refusal as a class of ``chatcore.errors``, and
    ``chatcore.errors.Closed`` once the link has ended for good. Links that are lost in
    between are not seen here: what has no answer is repeated on the next one.

    Cancelling a call does not take back what was asked: a send that was cancelled may
    have been stored.
    """

    def __init__(
        self, conversation: Conversation, reader: EventReader, keys: KeyGenerator
    ) -> None:
        self._conversation = conversation
        self._reader = reader
        self._keys = keys

    @property
    def username(self) -> Username | None:
        """Who is logged in; None for nobody."""
        session = self._reader.session
        return session.username if session is not None else None

    @property
    def account(self) -> AccountId | None:
        """The id of the account that is logged in; None for nobody."""
        session = self._reader.session
        return session.account if session is not None else None

    # ---- accounts and sessions

    async def create(self, username: str, password: str) -> AccountId:
        """Create an account (A3); its id."""
        command = Create(username, password, self._keys.make())
        return (await self._ask(command, Created, has_own_key=True)).account

    async def login(
        self,
        username: str,
        password: str,
        *,
        create: bool = False,
        delivery: DeliveryMode = DeliveryMode.PUSH,
    ) -> LoggedIn:
        """Open the account's session; ``create`` makes a free name's account first.

        The password is kept while logged in, to open a new session should this one be
        gone after a long time without a link.
        """
        command = Login(
            username=username, password=password, create=create, delivery=delivery
        )
        return await self._ask(command, LoggedIn)

    async def logout(self) -> None:
        """End the session at once; mail that was not acknowledged comes again."""
        await self._ask(Logout(), LoggedOut)

    async def change_password(self, old: str, new: str) -> None:
        """Replace the password of the account that is logged in (A6).

        Every other session of the account ends; this one goes on, under a new token.
        Where the answer is lost with the link, the client finds out what became of it.

        Raises:
            OutcomeUnknown: that could not be found out.
        """
        await self._ask(ChangePassword(old, new), PasswordChanged)

    async def delete(
        self,
        username: str,
        password: str,
        *,
        inbox: InboxAction = InboxAction.DELIVER,
        outbox: OutboxAction = OutboxAction.KEEP,
        dry_run: bool = False,
    ) -> DeletionReceipt:
        """Delete an account (D1 to D6); what was done, or with ``dry_run`` would be.

        With ``InboxAction.DELIVER`` somebody has to read ``messages()`` meanwhile: what
        waits is handed over first, and the deletion fails if nobody takes it.
        """
        if (
            inbox is InboxAction.DELIVER
            and not dry_run
            and self._reader.session is None
        ):
            # The mailbox's positions are told at a login: without, mail that is
            # delivered could not be told from mail that was lost.
            await self.login(username, password, delivery=DeliveryMode.MANUAL)
        command = Delete(
            username=username,
            password=password,
            inbox=inbox,
            outbox=outbox,
            dry_run=dry_run,
            key=b"" if dry_run else self._keys.make(),
        )
        return (await self._ask(command, Deleted, has_own_key=not dry_run)).receipt

    # ---- messages

    async def send(
        self, recipient: str, body: str, *, key: IdempotencyKey | None = None
    ) -> Accepted:
        """Send one message; the receipt comes once it is stored (M1).

        A key of the application's own makes repeats by another process safe too.
        """
        [answer] = await self._conversation.ask_all(
            [self._message(recipient, body, key)]
        )
        if isinstance(answer, Accepted):
            return answer
        raise _not_an(answer)

    async def send_all(
        self, messages: Sequence[tuple[str, str]]
    ) -> list[Accepted | Refusal]:
        """Send (recipient, body) pairs together; for each a receipt or a refusal."""
        pending = [self._message(recipient, body, None) for recipient, body in messages]
        results: list[Accepted | Refusal] = []
        for answer in await self._conversation.ask_all(pending):
            if isinstance(answer, Accepted | Refusal):
                results.append(answer)
            else:
                raise _not_an(answer)
        return results

    def _message(
        self, recipient: str, body: str, key: IdempotencyKey | None
    ) -> PendingCommand:
        """A send; one whose body no server takes is refused already (M6)."""
        made = self._keys.make() if key is None else key
        pending = self._pending(Send(recipient, body, made), has_own_key=key is None)
        most = self._conversation.outgoing.limits.body_bytes
        try:
            size = len(body.encode())
        except UnicodeEncodeError:  # a lone surrogate is no text
            pending.answer.set_exception(InvalidBody(maximum=most, bytes="none"))
        else:
            if size > most:
                pending.answer.set_exception(InvalidBody(maximum=most, bytes=size))
        return pending

    async def mail(self) -> AsyncIterator[Delivered | Bounced]:
        """Messages and bounces, each once, in the order of the mailbox (M5).

        Asking for the next one acknowledges the one before. Ends at a logout.
        """
        conversation = self._conversation
        while True:
            mail = conversation.inbox.hand_over()
            conversation.wake()
            if mail is not None:
                yield mail
                continue
            if conversation.failure is not None:
                raise conversation.failure
            if self._reader.session is None:
                return
            conversation.mail_came.clear()
            await conversation.mail_came.wait()

    async def messages(self) -> AsyncIterator[Delivered]:
        """``mail`` without the bounces, which are passed over."""
        async for mail in self.mail():
            if isinstance(mail, Delivered):
                yield mail

    def acknowledge(self) -> None:
        """Acknowledge all mail that was handed over, without asking for more."""
        self._conversation.acknowledge_handed()

    async def deliver(self) -> int:
        """Have what is queued delivered; how many once all is acknowledged (M7).

        Somebody has to read ``messages()`` meanwhile.
        """
        return (await self._ask(Deliver(), DeliveryFinished)).messages

    # ---- listing

    async def list(self, pattern: str = "") -> AsyncIterator[ListedAccount]:
        """The accounts that match, in code point order (L1).

        Whoever takes them slowly holds nobody up: 64 pages wait at most, and what
        comes after them is asked for again.
        """
        pending = self._pending(List(pattern))
        pages = Pages(lambda: self._conversation.post(pending))
        pending.pages = pages
        self._conversation.post(pending)
        try:
            while (page := await pages.next()) is not None:
                for username, online in zip(page.names, page.online, strict=True):
                    yield ListedAccount(username, online)
            await pending.answer
        finally:
            pending.answer.cancel()  # where the reader has had enough

    # ---- asking

    async def _ask(
        self, command: Command, kind: type[_Answer], *, has_own_key: bool = False
    ) -> _Answer:
        pending = self._pending(command, has_own_key=has_own_key)
        answer = await self._conversation.ask(pending)
        # What answers what was seen to before: see ``fitting``.
        assert isinstance(answer, kind)  # noqa: S101  # tells the type checker
        return answer

    @staticmethod
    def _pending(command: Command, *, has_own_key: bool = False) -> PendingCommand:
        answer = asyncio.get_running_loop().create_future()
        return PendingCommand(command, answer, has_own_key=has_own_key)


def _not_an(answer: object) -> BaseException:
    """What to raise for an answer that is no receipt: most often a refusal itself."""
    if isinstance(answer, BaseException):
        return answer
    return TypeError(f"a message was answered with {type(answer).__name__}")
