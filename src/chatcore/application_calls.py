"""What the application that embeds a chat asks of it, without a link or a password."""

from collections.abc import Iterator, Sequence
from typing import Final

from chatcore.commands import InboxAction, OutboxAction, Send
from chatcore.errors import Refusal
from chatcore.events import Accepted
from chatcore.ids import BEFORE_FIRST, NO_KEY, AccountId, IdempotencyKey, Position
from chatcore.model import DeletionReceipt
from chatcore.reports import PendingMail, SessionStatus
from chatcore.services import NotStarted, Services

_PAGE_BYTES: Final = 1024 * 1024


class ApplicationCalls:
    """Calls of the application's own code, on the server's side.

    They follow the rules that users' commands follow: what returns is stored, keys make
    repeats harmless, bodies and mailboxes have their limits, and what is refused is
    raised with the number that a client would be told. Rates, and the policy for sends,
    bound users and not the application itself.

    All raise ``InvalidUsername`` for what can be no name, ``NoSuchAccount`` for a name
    that nobody has, ``StoreUnavailable`` and ``OutcomeUnknown`` where the store cannot
    be asked, and ``NotStarted`` before the chat is served.
    """

    _started: Services | None = None

    @property
    def _services(self) -> Services:
        if self._started is None:
            raise NotStarted
        return self._started

    async def ensure_account(self, username: str) -> AccountId:
        """Have an account of this name, from now or from before; its id.

        So an application's user can be written to before the first login. Where the
        chat keeps passwords itself nobody can log in to a new one before
        ``admin.reset_password`` has given it one.

        Raises:
            InvalidUsername: nobody may take this name (A1).
            Busy: there are too many passwords to hash.
        """
        return (await self._services.accounts.ensure(username)).id

    async def send(
        self,
        sender: str,
        recipient: str,
        body: str,
        *,
        key: IdempotencyKey = NO_KEY,
    ) -> Accepted:
        """Send a message in the name of an account; its receipt, once it is stored.

        Whoever is logged in as the recipient has it at once, and the sender's session
        is left alone. With a ``key``, the 16 bytes of a UUIDv7, a repeat is answered
        with the first receipt (M2).

        Raises:
            Refusal: as a client is refused, with NoSuchRecipient, MailboxFull,
                MailboxShare, MailboxClosing, InvalidBody, InvalidKey, KeyReused or
                KeyExpired.
        """
        (answer,) = await self.send_all(sender, [Send(recipient, body, key)])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def send_all(
        self, sender: str, sends: Sequence[Send]
    ) -> Sequence[Accepted | Refusal]:
        """Send several in order, in as few commits as may be; what came of each.

        For the others to have their turn in between, ask for some hundreds at a time.
        """
        services = self._services
        account = await services.accounts.find(sender)
        return await services.sending.send_for(account, sends, services.counters)

    async def pending(
        self, username: str, *, after: Position = BEFORE_FIRST, limit: int = 100
    ) -> PendingMail:
        """What waits for an account, acknowledged by nobody yet: how much it is, and
        at most ``limit`` pieces or 1 MiB of it above the position ``after``.

        Looking acknowledges nothing.
        """
        services = self._services
        account = await services.accounts.find(username)
        mailbox = await self._services.store.mailbox(account.id)
        mail = await self._services.store.read(
            account.id, after=after, messages=limit, body_bytes=_PAGE_BYTES
        )
        return PendingMail(
            username=account.username,
            account=account.id,
            queued=mailbox.queued,
            mail=tuple(mail),
        )

    async def end_sessions(self, username: str) -> int:
        """Sign an account out, as when the application has: no token of it resumes
        anything any more; how many sessions that were.

        Who still has a proof that the application accepts may log in again.
        """
        return int(await self._services.admin.end_session(username))

    async def delete(
        self,
        username: str,
        *,
        inbox: InboxAction = InboxAction.DISCARD,
        outbox: OutboxAction = OutboxAction.KEEP,
        dry_run: bool = False,
    ) -> DeletionReceipt:
        """Delete an account, or tell what that would do (D1 to D5); the receipt.

        Raises:
            MailboxNotEmpty: with ``InboxAction.DELIVER``, while mail waits.
            AccountInUse: its owner logs in again and again.
        """
        return await self._services.admin.delete_account(
            username, inbox=inbox, outbox=outbox, dry_run=dry_run
        )

    def sessions(self) -> Iterator[SessionStatus]:
        """Every session, attached or waiting to be resumed."""
        return self._services.admin.sessions()
