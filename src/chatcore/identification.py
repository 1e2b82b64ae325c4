"""Finding out who somebody is, where the embedding application keeps the users (A2)."""

from functools import partial
from typing import Final, NamedTuple

from chatcore.application import Application
from chatcore.attempts import Attempts
from chatcore.claims import Claim, ClaimPurpose, Evidence, Identity
from chatcore.errors import (
    InvalidProof,
    OtherAccount,
    ProofOfAnother,
    ProofRefused,
    ProofRequired,
    WrongCredentials,
)
from chatcore.fair_semaphore import FairSemaphore
from chatcore.ids import Username
from chatcore.limits import Limits
from chatcore.model import Account
from chatcore.ports import Clock, Credentials, Identities, Names
from chatcore.usernames import prepare_username

_MS: Final = 1000
_IN_SESSION: Final = frozenset({ClaimPurpose.RESUME, ClaimPurpose.RENEWAL})


class Identified(NamedTuple):
    """Who somebody is, whether they may make their account, and until when it holds,
    on the monotonic clock; None for as long as they stay.
    """

    username: Username
    may_create: bool
    expires_s: float | None


class PasswordIdentities:
    """``Identities`` of an application that checks names and passwords only.

    They never expire. A session is resumed by its token alone, since a client without a
    proof has nothing to show; one that shows its password again has it checked.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def identify(self, claim: Claim) -> Identity | None:
        """See ``chatcore.ports.Identities``."""
        username = Username(claim.username)
        if not username:
            return None
        if claim.proof and not await self._credentials.check(username, claim.proof):
            return None
        return Identity(username=username)


class Identification:
    """Asks the application, in bounded time and so often at once, and judges."""

    def __init__(
        self,
        identities: Identities,
        application: Application,
        attempts: Attempts,
        clock: Clock,
        names: Names,
        limits: Limits,
    ) -> None:
        self._identities = identities
        self._application = application
        self._attempts = attempts
        self._clock = clock
        self._names = names
        self._limits = limits
        self._turns = FairSemaphore(clock, at_once=limits.identity_checks)

    async def identify(
        self,
        purpose: ClaimPurpose,
        username: Username | None,
        evidence: Evidence,
        *,
        account: Account | None = None,
    ) -> Identified:
        """Who shows this; ``username`` is who they should be, if that is known, and
        ``account`` that of the name, if it has one.

        Raises:
            InvalidProof: it is too long to look at.
            ProofRequired: there is none.
            ProofRefused, WrongCredentials: the application does not accept it.
            OtherAccount, ProofOfAnother: it is somebody else's.
            ApplicationUnavailable: the application has not answered in time.
            RateExceeded, TooManyAttempts: it was not looked at (B4, B5).
        """
        self._check_length(evidence.proof)
        claim = Claim(
            proof=evidence.proof or evidence.password,
            username=username or "",
            purpose=purpose,
            transport=evidence.transport,
            address=evidence.address,
            headers=evidence.headers,
        )
        if claim.proof:
            found = await self._attempts.make(
                username, account, evidence.network, partial(self._ask, claim)
            )
        elif purpose is ClaimPurpose.RESUME:
            found = await self._ask(claim)
        else:
            found = None
        if found is not None:
            return self._judge(found, username, purpose)
        if not claim.proof:
            raise ProofRequired(purpose=purpose.value)
        if evidence.password:
            raise WrongCredentials
        raise ProofRefused

    async def _ask(self, claim: Claim) -> Identity | None:
        return await self._application.ask(self._ask_in_turn(claim))

    async def _ask_in_turn(self, claim: Claim) -> Identity | None:
        async with self._turns.acquired():
            return await self._identities.identify(claim)

    def _judge(
        self, identity: Identity, asked: Username | None, purpose: ClaimPurpose
    ) -> Identified:
        """Whether the identity is that which was asked for, and holds now.

        Its end is on the wall clock. That is looked at here alone: from now on the
        monotonic clock counts, so that no jump throws anybody out or lets them stay.
        """
        most = self._limits.username_chars
        username = prepare_username(identity.username, self._names, max_chars=most)
        if asked is not None and username != asked:
            if purpose in _IN_SESSION:
                raise OtherAccount(username=asked)
            raise ProofOfAnother(username=username, asked=asked)
        expires_s = None
        if identity.expires_at_ms is not None:
            left_ms = identity.expires_at_ms - self._clock.now_ms()
            if left_ms <= 0:
                raise ProofRefused
            expires_s = self._clock.monotonic_s() + left_ms / _MS
        return Identified(username, identity.may_create, expires_s)

    def _check_length(self, proof: str) -> None:
        size = len(proof) if proof.isascii() else len(proof.encode())
        most = self._limits.most_proof_bytes
        if size > most:
            raise InvalidProof(maximum=most, bytes=size)
