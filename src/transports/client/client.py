"""The client of the library: what an application calls."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeVar

from chatcore import commands, events
from chatcore.commands import Command, DeliveryMode, InboxAction, OutboxAction, Send
from chatcore.errors import Refusal
from chatcore.events import Accepted, Bounced, Delivered, Event, LoggedIn
from chatcore.ids import AccountId, IdempotencyKey, Username
from chatcore.model import DeletionReceipt
from transports.client.driver import ClientDriver
from transports.client.events import Answer

_Answer = TypeVar("_Answer", bound=Event)

_SENT_TOGETHER: Final = 500
"""Others' commands come between, however long a list of messages is."""


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

    def __init__(self, driver: ClientDriver) -> None:
        self._driver = driver

    @property
    def username(self) -> Username | None:
        """Who is logged in; None for nobody."""
        session = self._driver.protocol.session
        return session.username if session is not None else None

    @property
    def account(self) -> AccountId | None:
        """The id of the account that is logged in; None for nobody."""
        session = self._driver.protocol.session
        return session.account if session is not None else None

    @property
    def missed(self) -> range:
        """Positions of mail that this client has missed: another session of the account
        has acknowledged them. Told anew by each login; some may have been notices, or
        were taken back.
        """
        return self._driver.protocol.missed

    @property
    def unsent(self) -> Sequence[Send]:
        """Messages of the account that is logged in which had no answer when a session
        ended, each with its key; their senders were told ``Closed``.
        """
        return self._driver.unsent

    # ---- accounts and sessions

    async def create(
        self, username: str, password: str, *, invitation: str = ""
    ) -> AccountId:
        """Create an account (A3), with an invitation where it takes one; its id."""
        command = commands.Create(username, password, invitation=invitation)
        return (await self._ask(command, events.Created)).account

    async def login(
        self,
        username: str = "",
        password: str = "",
        *,
        create: bool = False,
        delivery: DeliveryMode = DeliveryMode.PUSH,
        invitation: str = "",
        proof: str = "",
    ) -> LoggedIn:
        """Open the account's session; ``create`` makes a free name's account first,
        with an ``invitation`` where that takes one.

        Without a password it shows a ``proof``, that of ``connect`` if none is given
        here: then the username may be left out, and the answer names it. What was shown
        is kept while logged in, to open a new session should this one be gone after a
        long time without a link.

        After a logout, or where the server or the operator has ended the session, it
        opens a new one on the same client: mail goes on where it was (``missed``), and
        so do messages that had no answer (``send_unsent``).

        Raises:
            ProofFailed: the function that fetches proofs has.
        """
        self._driver.renew()
        command = commands.Login(
            username=username,
            password=password,
            create=create,
            delivery=delivery,
            invitation=invitation,
            proof=await self._proof(password, proof),
        )
        return await self._ask(command, LoggedIn)

    async def _proof(self, password: str, proof: str) -> str:
        """What to show where there is no password."""
        return proof if password or proof else await self._driver.proofs.fetch()

    async def prove(self, proof: str = "") -> int:
        """Show a new proof of who is logged in, before the last expires; in how many ms
        this one does, 0 for never.

        With a function for proofs the client does so by itself.
        """
        command = commands.Prove(await self._proof("", proof))
        return (await self._ask(command, events.Proved)).expires_in_ms

    async def logout(self) -> None:
        """End the session at once; mail that was not acknowledged comes again."""
        await self._ask(commands.Logout(), events.LoggedOut)

    async def change_password(self, old: str, new: str) -> None:
        """Replace the password of the account that is logged in (A6).

        Every other session of the account ends; this one goes on, under a new token.
        Where the answer is lost with the link, the client finds out what became of it.

        Raises:
            OutcomeUnknown: that could not be found out.
        """
        await self._ask(commands.ChangePassword(old, new), events.PasswordChanged)

    async def delete(
        self,
        username: str,
        password: str = "",
        *,
        inbox: InboxAction = InboxAction.DELIVER,
        outbox: OutboxAction = OutboxAction.KEEP,
        dry_run: bool = False,
        proof: str = "",
    ) -> DeletionReceipt:
        """Delete an account (D1 to D6); what was done, or with ``dry_run`` would be.

        It takes the password, or a proof as ``login`` does.

        With ``InboxAction.DELIVER`` somebody has to read ``messages()`` meanwhile: what
        waits is handed over first, and the deletion fails if nobody takes it.
        """
        if (
            inbox is InboxAction.DELIVER
            and not dry_run
            and self._driver.protocol.session is None
        ):
            # The mailbox's positions are told at a login: without, mail that is
            # delivered could not be told from mail that was lost.
            manual = DeliveryMode.MANUAL
            await self.login(username, password, delivery=manual, proof=proof)
        command = commands.Delete(
            username=username,
            password=password,
            inbox=inbox,
            outbox=outbox,
            dry_run=dry_run,
            proof=await self._proof(password, proof),
        )
        return (await self._ask(command, events.Deleted)).receipt

    # ---- messages

    async def send(
        self, recipient: str, body: str, *, key: IdempotencyKey | None = None
    ) -> Accepted:
        """Send one message; the receipt comes once it is stored (M1).

        A key of the application's own makes repeats by another process safe too.
        """
        return await self._ask(Send(recipient, body, key or b""), Accepted)

    async def send_all(
        self, messages: Sequence[tuple[str, str]]
    ) -> list[Accepted | Refusal]:
        """Send (recipient, body) pairs together; for each a receipt or a refusal."""
        results: list[Accepted | Refusal] = []
        for start in range(0, len(messages), _SENT_TOGETHER):
            some = messages[start : start + _SENT_TOGETHER]
            sends = [Send(recipient, body) for recipient, body in some]
            results += map(_receipt, await self._driver.ask_all(sends))
        return results

    async def send_unsent(self) -> list[Accepted | Refusal]:
        """Send what ``unsent`` has, under its keys: what was stored before its session
        ended is not stored twice (M2). For each, in order, a receipt or a refusal.
        """
        return [_receipt(it) for it in await self._driver.send_unsent()]

    async def mail(self) -> AsyncIterator[Delivered | Bounced]:
        """Messages and bounces, each once, in the order of the mailbox (M5).

        Asking for the next one acknowledges the one before. Ends at a logout.
        """
        driver, protocol = self._driver, self._driver.protocol
        driver.check_loop()
        while True:
            mail = driver.take_mail()
            if mail is not None:
                yield mail
                continue
            if protocol.failure is not None:
                raise protocol.failure
            if protocol.session is None:
                return
            await driver.mail_changed()

    async def messages(self) -> AsyncIterator[Delivered]:
        """``mail`` without the bounces, which are passed over."""
        async for mail in self.mail():
            if isinstance(mail, Delivered):
                yield mail

    def acknowledge(self) -> None:
        """Acknowledge all mail that was handed over, without asking for more."""
        self._driver.acknowledge()

    async def deliver(self) -> int:
        """Have what is queued delivered; how many once all is acknowledged (M7).

        Somebody has to read ``messages()`` meanwhile.
        """
        return (await self._ask(commands.Deliver(), events.DeliveryFinished)).messages

    # ---- listing

    async def list(self, pattern: str = "") -> AsyncIterator[ListedAccount]:
        """The accounts that match, in code point order (L1).

        Whoever takes them slowly holds nobody up: 64 pages wait at most, and what
        comes after them is asked for again.
        """
        pages = self._driver.pages(commands.List(pattern))
        async with aclosing(pages):
            async for page in pages:
                for username, online in zip(page.names, page.online, strict=True):
                    yield ListedAccount(username, online)

    # ---- asking

    async def _ask(self, command: Command, kind: type[_Answer]) -> _Answer:
        answer = await self._driver.ask(command)
        # What answers what was seen to before: see ``states``.
        assert isinstance(answer, kind)  # noqa: S101  # tells the type checker
        return answer


def _receipt(answer: Answer) -> Accepted | Refusal:
    """What came of a send; raises what is neither."""
    if isinstance(answer, BaseException) and not isinstance(answer, Refusal):
        raise answer
    # What answers what was seen to before: see ``states``.
    assert isinstance(answer, Accepted | Refusal)  # noqa: S101  # as above
    return answer
