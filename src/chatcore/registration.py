"""Who may make an account (A3, A4).

An invitation is a code of 160 random bits, written for people in groups of base32 (RFC
4648). A store keeps its hash, how often it may still be used, and until when.
"""

from base64 import b32encode
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

from chatcore.errors import (
    InvitationRefused,
    Refusal,
    RegistrationClosed,
    TooManyAttempts,
)
from chatcore.ids import NO_INVITATION, InvitationHash, Username
from chatcore.ports import Clock
from chatcore.store import Store
from chatcore.throttle import Throttle

_CODE_BYTES: Final = 20
_GROUP_CHARS: Final = 4
_CODE_CHARS: Final = 32
_THROTTLED: Final = Username("*invitations*")
"""Under what name wrong codes are counted: one that nobody can have (A1)."""


class Registration(Enum):
    """Who may make an account, besides the operator.

    It says nothing about the users of an application that brings its own (A2).
    """

    OPEN = "open"
    CLOSED = "closed"
    INVITE = "invite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An account may be made, and the invitation that it spends, if any."""

    invitation: InvitationHash


class Registrar:
    """Says whether an account may be made.

    Args:
        registration: who may.
        store: has the invitations.
        throttle: counts wrong codes of a network as it does wrong passwords (B4).
        clock: tells which have expired.
    """

    def __init__(
        self, registration: Registration, store: Store, throttle: Throttle, clock: Clock
    ) -> None:
        self.registration = registration
        self._store = store
        self._throttle = throttle
        self._clock = clock

    @property
    def is_open(self) -> bool:
        """Whether everybody may."""
        return self.registration is Registration.OPEN

    async def judge(self, code: str, network: str) -> Admitted | Refusal:
        """Whether somebody from there may, with this code; nothing is counted."""
        if self.registration is Registration.OPEN:
            return Admitted(invitation=NO_INVITATION)
        if self.registration is Registration.CLOSED:
            return RegistrationClosed()
        try:
            self._throttle.refuse_pair(_THROTTLED, network)
        except TooManyAttempts as refusal:
            return refusal
        invitation = hash_invitation(code)
        now_ms = self._clock.now_ms()
        if invitation and await self._store.allows(invitation, at_ms=now_ms):
            return Admitted(invitation=invitation)
        return InvitationRefused()

    def refuse(self, refusal: Refusal, code: str, network: str) -> Refusal:
        """The refusal that somebody gets, once a code that was wrong is counted."""
        if code and isinstance(refusal, InvitationRefused):
            self._throttle.begin(_THROTTLED, network)
            self._throttle.end(_THROTTLED, network, is_right=False)
        return refusal

    async def explain(self, admitted: Admitted) -> Refusal | None:
        """Why an account could not be made, if its invitation was spent in between."""
        if not admitted.invitation or await self._store.allows(
            admitted.invitation, at_ms=self._clock.now_ms()
        ):
            return None
        return InvitationRefused()


def write_invitation(secret: bytes) -> str:
    """A code out of a secret of at least 20 bytes, for people to pass on."""
    text = b32encode(secret[-_CODE_BYTES:]).decode()
    groups = range(0, len(text), _GROUP_CHARS)
    return "-".join(text[at : at + _GROUP_CHARS] for at in groups)


def hash_invitation(code: str) -> InvitationHash:
    """What a store keeps of a code; empty for what cannot be one.

    However people have written it down: case, hyphens and spaces do not count.
    """
    if len(code) > 2 * _CODE_CHARS:
        return NO_INVITATION
    text = "".join(code.replace("-", " ").split()).upper()
    if len(text) != _CODE_CHARS:
        return NO_INVITATION
    return InvitationHash(sha256(text.encode()).digest())
