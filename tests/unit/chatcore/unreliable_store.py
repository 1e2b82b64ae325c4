"""The memory store on a bad day: calls fail, or wait, when the test says so.

Everything else is the store itself: what a call does before it fails is done.
"""

from collections.abc import Callable, Sequence

from chatcore.errors import Outage
from chatcore.ids import (
    NO_INVITATION,
    AccountId,
    AddressHash,
    Epoch,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.model import (
    Account,
    Chunk,
    CleanUp,
    Deposit,
    LeftToDiscard,
    LogMark,
    Mail,
    Mailbox,
    NewMail,
    OpenedSession,
)
from chatcore.store import DepositResult, KeySpan, MailboxRoom
from chatstores.memory.store import MemoryStore
from tests.unit.chatcore.manual_scheduler import ManualScheduler, Wait


class UnreliableStore(MemoryStore):
    """A memory store whose next calls can be made to fail or to wait."""

    def __init__(self, scheduler: ManualScheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._before: dict[str, Outage | Wait] = {}
        self._after: dict[str, Outage | Wait] = {}
        self.calls: list[str] = []

    def fail(self, call: str, outage: Outage) -> None:
        """Let the next such call change nothing and raise."""
        self._before[call] = outage

    def fail_after(self, call: str, outage: Outage) -> None:
        """Let the next such call do its work and raise."""
        self._after[call] = outage

    def hold(self, call: str) -> Wait:
        """Let the next such call wait before it does anything."""
        self._before[call] = wait = Wait(self._scheduler)
        return wait

    def silence(self, call: str) -> None:
        """Let the next such call never come back."""
        self._before[call] = Wait(self._scheduler)

    def hold_after(self, call: str) -> Wait:
        """Let the next such call do its work, and wait before it answers."""
        self._after[call] = wait = Wait(self._scheduler)
        return wait

    def call_soon(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        """Let the test commit acknowledgements: those given are committed later."""
        self._call_soon = call_soon

    async def _enter(self, call: str) -> None:
        self.calls.append(call)
        await self._meet(self._before.pop(call, None))

    async def _leave(self, call: str) -> None:
        await self._meet(self._after.pop(call, None))

    @staticmethod
    async def _meet(obstacle: Outage | Wait | None) -> None:
        if isinstance(obstacle, Wait):
            await obstacle
        elif obstacle is not None:
            raise obstacle

    async def create_account(
        self,
        username: Username,
        password_hash: PasswordHash,
        *,
        key: IdempotencyKey,
        at_ms: int,
        invitation: InvitationHash = NO_INVITATION,
    ) -> AccountId | None:
        await self._enter("create_account")
        account = await super().create_account(
            username, password_hash, key=key, at_ms=at_ms, invitation=invitation
        )
        await self._leave("create_account")
        return account

    async def find_account(self, username: Username) -> Account | None:
        await self._enter("find_account")
        account = await super().find_account(username)
        await self._leave("find_account")
        return account

    async def change_password(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Epoch | None:
        await self._enter("change_password")
        epoch = await super().change_password(account, token_hash, old=old, new=new)
        await self._leave("change_password")
        return epoch

    async def replace_hash(
        self, account: AccountId, old: PasswordHash, new: PasswordHash
    ) -> None:
        await self._enter("replace_hash")
        await super().replace_hash(account, old, new)
        await self._leave("replace_hash")

    async def names(
        self, *, prefix: str, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Username]]:
        await self._enter("names")
        return await super().names(prefix=prefix, after=after, limit=limit)

    async def open_session(
        self,
        account: AccountId,
        token_hash: TokenHash,
        *,
        password_hash: PasswordHash,
        address: AddressHash,
        at_ms: int,
    ) -> OpenedSession | None:
        await self._enter("open_session")
        opened = await super().open_session(
            account,
            token_hash,
            password_hash=password_hash,
            address=address,
            at_ms=at_ms,
        )
        await self._leave("open_session")
        return opened

    async def knows_address(
        self, account: AccountId, address: AddressHash, *, since_ms: int
    ) -> bool:
        await self._enter("knows_address")
        return await super().knows_address(account, address, since_ms=since_ms)

    async def resume_session(
        self, token_hash: TokenHash, *, last_seen: Position
    ) -> OpenedSession | None:
        await self._enter("resume_session")
        opened = await super().resume_session(token_hash, last_seen=last_seen)
        await self._leave("resume_session")
        return opened

    async def end_session(self, account: AccountId, epoch: Epoch) -> None:
        await self._enter("end_session")
        await super().end_session(account, epoch)

    async def deposit(
        self,
        deposits: Sequence[Deposit],
        *,
        room: MailboxRoom,
        keys: KeySpan,
    ) -> Sequence[DepositResult]:
        await self._enter("deposit")
        results = await super().deposit(deposits, room=room, keys=keys)
        await self._leave("deposit")
        return results

    async def mailbox(self, account: AccountId) -> Mailbox:
        await self._enter("mailbox")
        mailbox = await super().mailbox(account)
        await self._leave("mailbox")
        return mailbox

    async def read(
        self, account: AccountId, *, after: Position, messages: int, body_bytes: int
    ) -> Sequence[Mail]:
        await self._enter("read")
        mail = await super().read(
            account, after=after, messages=messages, body_bytes=body_bytes
        )
        await self._leave("read")
        return mail

    async def delete_account(
        self,
        account: AccountId,
        epoch: Epoch,
        *,
        discard: bool,
        retract: bool,
        delivered: int,
        key: IdempotencyKey,
        at_ms: int,
        mark: LogMark | None = None,
    ) -> bool:
        await self._enter("delete_account")
        decided = await super().delete_account(
            account,
            epoch,
            discard=discard,
            retract=retract,
            delivered=delivered,
            key=key,
            at_ms=at_ms,
            mark=mark,
        )
        await self._leave("delete_account")
        return decided

    async def left_to_discard(
        self, account: AccountId, *, messages: int
    ) -> LeftToDiscard:
        await self._enter("left_to_discard")
        return await super().left_to_discard(account, messages=messages)

    async def discard(
        self,
        account: AccountId,
        chunks: Sequence[Chunk],
        *,
        discarded: int,
        at_ms: int,
    ) -> Sequence[NewMail]:
        await self._enter("discard")
        bounces = await super().discard(
            account, chunks, discarded=discarded, at_ms=at_ms
        )
        await self._leave("discard")
        return bounces

    async def clean_up(self, account: AccountId, *, rows: int) -> CleanUp:
        await self._enter("clean_up")
        return await super().clean_up(account, rows=rows)

    async def forget(self, oldest_key: IdempotencyKey) -> None:
        await self._enter("forget")
        await super().forget(oldest_key)

    async def flush(self) -> None:
        await self._enter("flush")
        await super().flush()
