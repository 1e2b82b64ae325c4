"""Accounts: creating them and knowing their owners (A1 to A4, A6, D6)."""

from dataclasses import replace
from typing import Final

from chatcore.attempts import Attempts
from chatcore.claims import ClaimPurpose, Evidence
from chatcore.commands import ChangePassword, Create, Login
from chatcore.errors import (
    AccountsElsewhere,
    Busy,
    InvalidPassword,
    InvalidUsername,
    KeyReused,
    NameTaken,
    NoSuchAccount,
    PasswordsOnly,
    Refusal,
    WrongCredentials,
)
from chatcore.events import Created
from chatcore.identification import Identification, Identified
from chatcore.ids import (
    NO_HASH,
    NO_INVITATION,
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    TokenHash,
    Username,
)
from chatcore.key_clock import KeyClock
from chatcore.keys import parse_key, refuse_outside
from chatcore.limits import Limits
from chatcore.model import Account, AuditAction, AuditEvent, FirstUse, Origin
from chatcore.ports import Environment
from chatcore.rate_limiter import Caller, RateKind, RateLimiter
from chatcore.registration import Admitted, Registrar, Registration
from chatcore.sessions import Session
from chatcore.store import Store
from chatcore.usernames import prepare_username

APPLICATION: Final = Origin(transport="application")
"""From where what the embedding application does is recorded to have been asked."""


class Accounts:
    """Creates accounts, checks and changes passwords."""

    def __init__(  # the parts that it ties together
        self,
        store: Store,
        environment: Environment,
        limits: Limits,
        identification: Identification | None,
        attempts: Attempts,
        rates: RateLimiter,
        key_clock: KeyClock,
        registration: Registration,
    ) -> None:
        self._identification = identification
        self._attempts = attempts
        self._rates = rates
        self._key_clock = key_clock
        self._registrar = Registrar(
            registration, store, attempts.throttle, environment.clock
        )
        self._store = store
        self._environment = environment
        self._limits = limits

    def follow_limits(self) -> None:
        """Take over what has changed in the limits."""
        self._attempts.throttle.follow_limits()

    def prepare(self, text: str) -> Username:
        """The username that ``text`` stands for (A1)."""
        return prepare_username(
            text, self._environment.names, max_chars=self._limits.username_chars
        )

    async def create(self, command_id: int, command: Create, source: Caller) -> Created:
        """Create an account (A3); a repeat under its key gets the first answer (D6).

        That a name is taken is told only after it has cost a hash, and counted; where
        registration is closed it is not told at all.
        """
        if self.are_elsewhere:
            raise AccountsElsewhere(command="create")
        username = self.prepare(command.username)
        self.check_length(command.password)
        key = parse_key(command.key)
        network = source.network
        evidence = Evidence(password=command.password, network=network)
        account = await self._repeated(username, evidence, key)
        if account is not None:
            return Created(command_id, account, username)
        refuse_outside(
            key, self._key_clock.span(), lifetime_ms=self._limits.key_lifetime_ms
        )
        judged = await self._registrar.judge(command.invitation, network)
        if isinstance(judged, Refusal):
            raise self._registrar.refuse(judged, command.invitation, network)
        self._rates.take(source, {RateKind.CREATES: 1})
        made = await self.make(
            username, command.password, key, source, judged.invitation
        )
        if made is not None:
            return Created(command_id, made.id, username)
        # Somebody was faster: perhaps this same request, on another link.
        account = await self._repeated(username, evidence, key)
        if account is None:
            spent = await self._registrar.explain(judged)
            raise spent or NameTaken(username=username)
        return Created(command_id, account, username)

    async def find(self, text: str) -> Account:
        """The account that the operator names; raises ``NoSuchAccount``."""
        username = self.prepare(text)
        account = await self._store.find_account(username)
        if account is None:
            raise NoSuchAccount(username=username)
        return account

    async def ensure(self, text: str) -> Account:
        """The account of this name, made where there is none; a password is nobody's.

        Raises:
            InvalidUsername: nobody may take the name.
        """
        username = self.prepare(text)
        account = await self._store.find_account(username)
        if account is None and self.are_elsewhere:
            return await self._admit(username)
        if account is None:
            nobody_knows = self._environment.entropy.token().hex()
            account = await self.make(
                username, nobody_knows, NO_KEY, Caller(origin=APPLICATION)
            )
        # Somebody may have been faster.
        return account or await self.find(username)

    @property
    def are_elsewhere(self) -> bool:
        """Whether the application keeps its users itself (A2)."""
        return self._identification is not None

    async def make(
        self,
        username: Username,
        password: str,
        key: IdempotencyKey,
        source: Caller,
        invitation: InvitationHash = NO_INVITATION,
    ) -> Account | None:
        """Add an account; None when the name exists, or the invitation is spent.

        Nobody is asked whether it may.
        """
        objection = self._environment.names.objection(username)
        if objection:
            raise InvalidUsername(reason=objection)
        password_hash = await self._environment.passwords.hash(
            password, address=source.network
        )
        plain = self._environment.names.plain_lookalike(username)
        if plain and await self._store.find_account(Username(plain)) is not None:
            raise InvalidUsername(reason=f"it looks like {plain}, which exists")
        created = await self._store.create_account(
            username,
            password_hash,
            key=key,
            at_ms=self._environment.clock.now_ms(),
            invitation=invitation,
        )
        if created is None:
            return None
        self._environment.observer.audit(
            AuditEvent(
                action=AuditAction.CREATE,
                origin=source.origin,
                username=username,
                account=created,
            )
        )
        return Account(id=created, username=username, password_hash=password_hash)

    async def _repeated(
        self, username: Username, evidence: Evidence, key: IdempotencyKey
    ) -> AccountId | None:
        """The account that a ``create`` under this key made, if there was one."""
        first = await self._store.first_use(key) if key else None
        if first is None:
            return None
        if first.is_deletion or first.username != username:
            raise KeyReused
        await self.verify(first, evidence)
        return first.account

    async def log_in(
        self, command: Login, evidence: Evidence, source: Caller
    ) -> tuple[Account, float | None]:
        """The account that a login opens, and when what was shown expires, on the
        monotonic clock; None where it does not. ``create`` makes that of a free name
        (A4).

        It is looked up once, unless somebody else makes it meanwhile. A right password
        is kept at the cost of now (A2).

        Raises:
            RegistrationClosed, InvitationRefused: with ``create``, in the place of
                ``WrongCredentials`` and at its cost: whether the name is free is not
                told (A2).
            WrongCredentials, RateExceeded, TooManyAttempts: as ``authenticate``.
            Refusal: as ``Identification.identify``.
        """
        if self.are_elsewhere:
            names_itself = not command.username and evidence.proof
            username = None if names_itself else self.prepare(command.username)
            return await self._recognize(ClaimPurpose.LOGIN, username, evidence)
        if evidence.proof:
            raise PasswordsOnly
        username = self.prepare(command.username)
        return await self._log_in(username, command, evidence, source), None

    async def _log_in(
        self, username: Username, command: Login, evidence: Evidence, source: Caller
    ) -> Account:
        account = await self._store.find_account(username)
        password, invitation = command.password, command.invitation
        network, judged = source.network, None
        if command.create:
            judged = await self._registrar.judge(invitation, network)
        if account is None and isinstance(judged, Admitted):
            self.check_length(password)
            self._rates.take(source, {RateKind.CREATES: 1})
            made = await self.make(
                username, password, NO_KEY, source, judged.invitation
            )
            if made is not None:
                return made
            account = await self._store.find_account(username)
            if account is None:
                judged = await self._registrar.explain(judged)
        try:
            account = await self._prove(username, account, evidence)
        except WrongCredentials:
            if isinstance(judged, Refusal):
                refusal = self._registrar.refuse(judged, invitation, network)
                raise refusal from None
            raise
        return await self._rehash(account, password, source.network)

    async def authenticate(self, username: Username, evidence: Evidence) -> Account:
        """The account, if what is shown is its; an unknown name costs as long (A2).

        Raises:
            WrongCredentials: no such account, or not its password.
            RateExceeded, TooManyAttempts: it was not looked at (B4, B5).
            Refusal: as ``Identification.identify``.
        """
        if self._identification is not None:
            purpose = ClaimPurpose.DELETION
            return (await self._recognize(purpose, username, evidence))[0]
        account = await self._store.find_account(username)
        return await self._prove(username, account, evidence)

    async def _recognize(
        self, purpose: ClaimPurpose, username: Username | None, evidence: Evidence
    ) -> tuple[Account, float | None]:
        """The account of one of the application's users, made where it may be; and
        until when that holds, on the monotonic clock.
        """
        named = None
        if username is not None:
            named = await self._store.find_account(username)
        found = await self.identify(purpose, username, evidence, account=named)
        account = named or await self._store.find_account(found.username)
        if account is None and not found.may_create:
            raise NoSuchAccount(username=found.username)
        return account or await self._admit(found.username), found.expires_s

    async def identify(
        self,
        purpose: ClaimPurpose,
        username: Username | None,
        evidence: Evidence,
        *,
        account: Account | None = None,
    ) -> Identified:
        """Who shows this; see ``Identification.identify``.

        Raises:
            PasswordsOnly: the application does not keep the users.
        """
        if self._identification is None:
            raise PasswordsOnly
        self.check_length(evidence.password, minimum=0)
        return await self._identification.identify(
            purpose, username, evidence, account=account
        )

    async def _prove(
        self, username: Username, account: Account | None, evidence: Evidence
    ) -> Account:
        """The account that was found under the name, if the password is its."""
        password_hash = account.password_hash if account is not None else None
        await self._check(username, account, password_hash, evidence)
        if account is None:
            raise WrongCredentials
        return account

    async def _check(
        self,
        username: Username,
        account: Account | None,
        password_hash: PasswordHash | None,
        evidence: Evidence,
    ) -> None:
        """Raise ``WrongCredentials`` unless the password is right, and count it (B4).

        A name without an account is treated as any other; its password is wrong.
        """
        if evidence.proof:
            raise PasswordsOnly
        password, network = evidence.password, evidence.network
        self.check_length(password, minimum=0)

        async def check() -> bool | None:
            passwords = self._environment.passwords
            return await passwords.verify(password_hash, password, address=network) or (
                None
            )

        if await self._attempts.make(username, account, network, check) is None:
            raise WrongCredentials

    async def _rehash(self, account: Account, password: str, network: str) -> Account:
        """Keep a right password at the cost of now, where it had another (A2).

        A queue that has no room for it now will have some at the next login.
        """
        passwords = self._environment.passwords
        if not passwords.is_outdated(account.password_hash):
            return account
        try:
            new_hash = await passwords.hash(password, address=network)
        except Busy:
            return account
        await self._store.replace_hash(account.id, account.password_hash, new_hash)
        return replace(account, password_hash=new_hash)

    async def _admit(self, username: Username) -> Account:
        """The account of one of the application's users, made when first needed."""
        account = await self._store.find_account(username)
        if account is not None:
            return account
        now_ms = self._environment.clock.now_ms()
        await self._store.create_account(username, NO_HASH, key=NO_KEY, at_ms=now_ms)
        account = await self._store.find_account(username)
        if account is None:  # deleted again, in between
            raise WrongCredentials
        return account

    async def change_password(
        self,
        session: Session,
        command: ChangePassword,
        token_hash: TokenHash,
        network: str,
    ) -> Epoch:
        """Replace the password and with it the session's token (A6); the new epoch."""
        if self.are_elsewhere:
            raise AccountsElsewhere(command="change password")
        self.check_length(command.new)
        evidence = Evidence(password=command.old, network=network)
        account = await self.authenticate(session.username, evidence)
        if account.id != session.account:
            raise WrongCredentials
        new_hash = await self._environment.passwords.hash(command.new, address=network)
        epoch = await self._store.change_password(
            account.id,
            token_hash,
            # Not what a change that was committed since has made of it.
            old=account.password_hash,
            new=new_hash,
        )
        if epoch is None:
            raise WrongCredentials
        return epoch

    async def verify(self, first: FirstUse, evidence: Evidence) -> None:
        """Refuse, as ``authenticate`` does, unless whoever repeats a request asked it
        (D6).
        """
        if self.are_elsewhere:
            await self.identify(ClaimPurpose.DELETION, first.username, evidence)
        else:
            await self._check(first.username, None, first.password_hash, evidence)

    def check_length(self, password: str, *, minimum: int | None = None) -> None:
        """Refuse a password of another length than allowed (A2)."""
        limits = self._limits
        least = limits.password_min_bytes if minimum is None else minimum
        size = len(password.encode())
        if not least <= size <= limits.password_max_bytes:
            raise InvalidPassword(
                minimum=limits.password_min_bytes,
                maximum=limits.password_max_bytes,
                bytes=size,
            )
