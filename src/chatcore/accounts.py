"""Accounts: creating them and knowing their owners (A1 to A4, A6, D6)."""

from chatcore.commands import ChangePassword, Create
from chatcore.errors import (
    AccountsElsewhere,
    InvalidPassword,
    KeyReused,
    NameTaken,
    WrongCredentials,
)
from chatcore.events import Created
from chatcore.ids import NO_HASH, NO_KEY, IdempotencyKey, PasswordHash, Username
from chatcore.keys import parse_key, refuse_expired
from chatcore.limits import Limits
from chatcore.model import Account, FirstAnswer
from chatcore.ports import Credentials, Environment, Store
from chatcore.sessions import Session
from chatcore.usernames import prepare_username


class Accounts:
    """Creates accounts, checks and changes passwords."""

    def __init__(
        self,
        store: Store,
        environment: Environment,
        limits: Limits,
        credentials: Credentials | None,
    ) -> None:
        self._credentials = credentials
        self._store = store
        self._environment = environment
        self._limits = limits

    def prepare(self, text: str) -> Username:
        """The username that ``text`` stands for (A1)."""
        return prepare_username(
            text, self._environment.names, max_chars=self._limits.username_chars
        )

    async def create(self, command_id: int, command: Create) -> Created:
        """Create an account (A3); a repeat under its key gets the first answer (D6)."""
        if self._credentials is not None:
            raise AccountsElsewhere(command="create")
        username = self.prepare(command.username)
        self._check_length(command.password)
        now_ms = self._environment.clock.now_ms()
        key = parse_key(command.key, now_ms)
        repeated = await self._repeated(command_id, username, command.password, key)
        if repeated is not None:
            return repeated
        refuse_expired(key, now_ms, lifetime_ms=self._limits.key_lifetime_ms)
        if await self._store.find_account(username) is not None:
            raise NameTaken(username=username)
        password_hash = await self._environment.passwords.hash(command.password)
        account = await self._store.create_account(
            username, password_hash, key=key, at_ms=now_ms
        )
        if account is not None:
            return Created(command_id, account, username)
        # Somebody was faster: perhaps this same request, on another link.
        repeated = await self._repeated(command_id, username, command.password, key)
        if repeated is None:
            raise NameTaken(username=username)
        return repeated

    async def _repeated(
        self,
        command_id: int,
        username: Username,
        password: str,
        key: IdempotencyKey,
    ) -> Created | None:
        """The answer that a ``create`` under this key had, if it had one."""
        if not key:
            return None
        first = await self._store.first_answer(key)
        if first is None:
            return None
        if first.receipt is not None or first.username != username:
            raise KeyReused
        await self.verify(first, password)
        return Created(command_id, first.account, username)

    async def create_for_login(self, username: Username, password: str) -> Account:
        """Create the account of a free name, or prove to own it by now (A4)."""
        if self._credentials is not None:
            return await self._admit(self._credentials, username, password)
        self._check_length(password)
        password_hash = await self._environment.passwords.hash(password)
        created = await self._store.create_account(
            username,
            password_hash,
            key=NO_KEY,
            at_ms=self._environment.clock.now_ms(),
        )
        if created is None:
            return await self.authenticate(username, password)
        return Account(id=created, username=username, password_hash=password_hash)

    async def authenticate(self, username: Username, password: str) -> Account:
        """The account, if the password is its; an unknown name costs as long (A2).

        Raises:
            WrongCredentials: no such account, or not its password.
        """
        if self._credentials is not None:
            return await self._admit(self._credentials, username, password)
        account = await self._store.find_account(username)
        password_hash = account.password_hash if account is not None else None
        if not await self._is_right(password_hash, password) or account is None:
            raise WrongCredentials
        return account

    async def _admit(
        self, credentials: Credentials, username: Username, password: str
    ) -> Account:
        """The account of one of the application's users, made when first needed."""
        self._check_length(password, minimum=0)
        if not await credentials.check(username, password):
            raise WrongCredentials
        account = await self._store.find_account(username)
        if account is not None:
            return account
        now_ms = self._environment.clock.now_ms()
        await self._store.create_account(username, NO_HASH, key=NO_KEY, at_ms=now_ms)
        account = await self._store.find_account(username)
        if account is None:  # deleted again, in between
            raise WrongCredentials
        return account

    async def change_password(self, session: Session, command: ChangePassword) -> None:
        """Replace the password (A6); one account has one session, and this is it."""
        if self._credentials is not None:
            raise AccountsElsewhere(command="change password")
        account = await self.authenticate(session.username, command.old)
        self._check_length(command.new)
        new_hash = await self._environment.passwords.hash(command.new)
        if account.id != session.account or not await self._store.set_password(
            account.id, new_hash
        ):
            raise WrongCredentials

    async def verify(self, first: FirstAnswer, password: str) -> None:
        """Raise ``WrongCredentials`` unless whoever repeats a request asked it (D6)."""
        if self._credentials is not None:
            is_right = await self._credentials.check(first.username, password)
        else:
            is_right = await self._is_right(first.password_hash, password)
        if not is_right:
            raise WrongCredentials

    async def _is_right(
        self, password_hash: PasswordHash | None, password: str
    ) -> bool:
        """Whether the password matches; None costs as long (A2)."""
        self._check_length(password, minimum=0)
        return await self._environment.passwords.verify(password_hash, password)

    def _check_length(self, password: str, *, minimum: int | None = None) -> None:
        limits = self._limits
        least = limits.password_min_bytes if minimum is None else minimum
        size = len(password.encode())
        if not least <= size <= limits.password_max_bytes:
            raise InvalidPassword(
                minimum=limits.password_min_bytes,
                maximum=limits.password_max_bytes,
                bytes=size,
            )
