"""What the stores' tests say often, in few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from chatcore.bounces import look_ahead, next_chunks
from chatcore.ids import (
    BEFORE_FIRST,
    NO_ADDRESS,
    NO_KEY,
    AccountId,
    AddressHash,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.limits import DAY_MS
from chatcore.model import Bounce, DeletionReceipt, Deposit, Mail, Message, NewMail
from chatcore.store import DepositResult, KeySpan, MailboxRoom, Store, Stored
from chatcore.surveys import Survey, survey

NOW_MS = 20_000 * DAY_MS + 5_000
ROOMY = MailboxRoom(full=10_000, crowded=7_500, share=2_500)
LAST_KEY = IdempotencyKey(b"\xff" * 16)


def key(number: int, *, at_ms: int = NOW_MS) -> IdempotencyKey:
    """The key that ``number`` names, made at ``at_ms``, as a UUIDv7 sorts."""
    return IdempotencyKey(at_ms.to_bytes(6, "big") + number.to_bytes(10, "big"))


@dataclass(frozen=True, slots=True)
class Person:
    """An account with a session."""

    id: AccountId
    name: Username
    epoch: Epoch


class Step(NamedTuple):
    """What a step of a clean-up has come to, and whom it has told of it."""

    receipt: DeletionReceipt
    finished: bool
    bounces: tuple[NewMail, ...] = ()


class StoreDriver:
    """A store, and short words for what is done with it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tokens = count(1)

    def new_token(self) -> TokenHash:
        return TokenHash(next(self._tokens).to_bytes(32, "big"))

    async def register(self, name: str) -> Person:
        """Create an account and open its session."""
        username = Username(name)
        account = await self.store.create_account(
            username, PasswordHash(f"hash of {name}"), key=NO_KEY, at_ms=NOW_MS
        )
        assert account is not None
        return await self.login(account)

    async def login(
        self,
        account: AccountId,
        *,
        token: TokenHash | None = None,
        address: AddressHash = NO_ADDRESS,
        at_ms: int = NOW_MS,
    ) -> Person:
        opened = await self.store.open_session(
            account,
            token or self.new_token(),
            password_hash=await self.password_of(account),
            address=address,
            at_ms=at_ms,
        )
        assert opened is not None
        return Person(opened.account, opened.username, opened.epoch)

    async def change_password(
        self, account: AccountId, new: PasswordHash, token: TokenHash
    ) -> Epoch | None:
        """Replace the password that an account has now."""
        old = await self.password_of(account)
        return await self.store.change_password(account, token, old=old, new=new)

    async def password_of(self, account: AccountId) -> PasswordHash:
        """The hash of an account's password now; another, if there is none."""
        for known, name in await self.store.names(prefix="", after="", limit=1000):
            found = await self.store.find_account(name)
            if known == account and found is not None:
                return found.password_hash
        return PasswordHash("of nobody")

    async def send(
        self,
        sender: Person,
        to: str,
        *bodies: str,
        under: IdempotencyKey = NO_KEY,
        room: int | MailboxRoom = ROOMY,
        oldest: IdempotencyKey = NO_KEY,
        newest: IdempotencyKey = LAST_KEY,
    ) -> list[DepositResult]:
        """Deposit one message for each body, in one call."""
        return await self.deposit(
            *(letter(sender, to, body, under=under) for body in bodies),
            room=room,
            oldest=oldest,
            newest=newest,
        )

    async def deposit(
        self,
        *deposits: Deposit,
        room: int | MailboxRoom = ROOMY,
        oldest: IdempotencyKey = NO_KEY,
        newest: IdempotencyKey = LAST_KEY,
    ) -> list[DepositResult]:
        """In one call; a ``room`` that is a number is as good as never crowded."""
        if not isinstance(room, MailboxRoom):
            room = MailboxRoom(full=room, crowded=room, share=room)
        keys = KeySpan(oldest, newest)
        return list(await self.store.deposit(deposits, room=room, keys=keys))

    async def read(
        self,
        owner: Person,
        *,
        after: int = BEFORE_FIRST,
        messages: int = 1000,
        body_bytes: int = 1_000_000,
    ) -> Sequence[Mail]:
        return await self.store.read(
            owner.id, after=Position(after), messages=messages, body_bytes=body_bytes
        )

    async def bodies(self, owner: Person) -> list[str]:
        """The bodies of the messages that wait."""
        mail = await self.read(owner)
        return [it.body for it in mail if isinstance(it, Message)]

    async def bounces(self, owner: Person) -> list[tuple[Position, ...]]:
        """The positions that each waiting bounce names."""
        mail = await self.read(owner)
        return [it.positions for it in mail if isinstance(it, Bounce)]

    async def queued(self, owner: Person) -> int:
        return (await self.store.mailbox(owner.id)).queued

    def acknowledge(self, owner: Person, position: int) -> None:
        self.store.acknowledge(owner.id, owner.epoch, Position(position))

    async def delete(
        self,
        owner: Person,
        *,
        discard: bool = True,
        retract: bool = False,
        delivered: int = 0,
        under: IdempotencyKey = NO_KEY,
    ) -> bool:
        return await self.store.delete_account(
            owner.id,
            owner.epoch,
            discard=discard,
            retract=retract,
            delivered=delivered,
            key=under,
            at_ms=NOW_MS,
        )

    async def survey(self, account: AccountId, *, bounce_messages: int) -> Survey:
        """What a deletion would touch now, as the domain counts it."""
        return await survey(
            self.store, account, bounce_messages=bounce_messages, page=3
        )

    async def clean_up(
        self, account: AccountId, *, rows: int = 1000, bounce_messages: int = 1000
    ) -> Step:
        """One step, as the domain does it."""
        ahead = look_ahead(rows=rows, bounce_messages=bounce_messages)
        left = await self.store.left_to_discard(account, messages=ahead)
        bounces: Sequence[NewMail] = ()
        if left.messages:
            chunks = next_chunks(
                left.messages, rows=rows, bounce_messages=bounce_messages
            )
            bounces = await self.store.discard(
                account, chunks, discarded=left.discarded, at_ms=NOW_MS
            )
        return Step(*await self.store.clean_up(account, rows=rows), tuple(bounces))

    async def finish(
        self, account: AccountId, *, rows: int = 1000, bounce_messages: int = 1000
    ) -> Step:
        """All steps; answers the last, with the bounces of all."""
        bounces: tuple[NewMail, ...] = ()
        while True:
            done = await self.clean_up(
                account, rows=rows, bounce_messages=bounce_messages
            )
            bounces += done.bounces
            if done.finished:
                return done._replace(bounces=bounces)

    async def receipt_under(self, key: IdempotencyKey) -> DeletionReceipt:
        """Of a finished deletion, as a repeat of its request gets it."""
        first = await self.store.first_use(key)
        assert first is not None
        assert first.is_deletion
        done = await self.store.clean_up(first.account, rows=1)
        assert done.finished
        return done.receipt

    async def erase(self, owner: Person, *, retract: bool = False) -> Step:
        """Delete an account, discard its inbox, and finish."""
        assert await self.delete(owner, retract=retract)
        return await self.finish(owner.id)


def letter(
    sender: Person, to: str, body: str, *, under: IdempotencyKey = NO_KEY
) -> Deposit:
    return Deposit(
        sender.id, sender.epoch, Username(to), body, len(body.encode()), under, NOW_MS
    )


def positions(results: Sequence[DepositResult]) -> list[int]:
    """Where the messages were stored; all of them were."""
    return [it.position for it in results if isinstance(it, Stored)]
