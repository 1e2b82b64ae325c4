"""Proofs that an application signs with a secret which it shares with the chat.

A proof is a JSON Web Token (RFC 7519) under HS256 with a name (``sub``), an end
(``exp``) and a purpose (``aud``), so that any language has a library that makes them.
What is read here is that and nothing else: one algorithm, one secret.
"""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, TypeGuard

from chatcore.claims import Claim, Identity

AUDIENCE: Final = "chatcore"
"""What a proof is for: another token of the application, signed with the same secret
for something else, is none.
"""
LEAST_SECRET_BYTES: Final = 32
"""As long as the hash (RFC 7518, 3.2)."""

_MS: Final = 1000
_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_PARTS: Final = 3
_DIGITS: Final = 12
"""Of seconds: thirty thousand years."""


class SecretTooShort(ValueError):
    """A secret that could be guessed."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"A secret for proofs has at least {LEAST_SECRET_BYTES} bytes; this one "
            f"has {size}."
        )


def sign_proof(
    secret: bytes,
    username: str,
    *,
    expires_in_s: float = 300.0,
    audience: str = AUDIENCE,
) -> str:
    """A proof that its bearer is this user, for so long.

    Raises:
        SecretTooShort: the secret could be guessed.
    """
    _check(secret)
    expires_at_s = int(time.time() + expires_in_s)
    payload = {"sub": username, "exp": expires_at_s, "aud": audience}
    signed = f"{_encode(_HEADER)}.{_encode(payload)}"
    return f"{signed}.{_base64(_sign(secret, signed))}"


class SharedSecret:
    """Whoever has a proof that ``sign_proof`` made, or another library for JWTs.

    Args:
        secret: at least 32 bytes, known to the application and the chat alone.
        may_create: whether a login makes the account where there is none.
        audience: see ``AUDIENCE``.
    """

    def __init__(
        self, secret: bytes, *, may_create: bool = True, audience: str = AUDIENCE
    ) -> None:
        _check(secret)
        self._secret = secret
        self._may_create = may_create
        self._audience = audience

    async def identify(self, claim: Claim) -> Identity | None:
        """See ``chatcore.ports.Identities``."""
        signed, _, signature = claim.proof.rpartition(".")
        # What the signature covers is looked at only once it is right.
        if not hmac.compare_digest(
            _base64(_sign(self._secret, signed)).encode(), signature.encode()
        ):
            return None
        parts = claim.proof.split(".")
        if len(parts) != _PARTS or _decode(parts[0]).get("alg") != _HEADER["alg"]:
            return None
        return self._identity(_decode(parts[1]))

    def _identity(self, payload: Mapping[str, object]) -> Identity | None:
        username, audience = payload.get("sub"), payload.get("aud")
        expires_at_s, begins_at_s = payload.get("exp"), payload.get("nbf", 0)
        if not isinstance(username, str) or audience != self._audience:
            return None
        if not _is_time(expires_at_s) or not _is_time(begins_at_s):
            return None
        if begins_at_s > time.time():
            return None
        # Whether that is over is for the chat to see.
        return Identity(
            username=username,
            expires_at_ms=int(expires_at_s * _MS),
            may_create=self._may_create,
        )


def _check(secret: bytes) -> None:
    if len(secret) < LEAST_SECRET_BYTES:
        raise SecretTooShort(len(secret))


def _is_time(value: object) -> TypeGuard[int | float]:
    """Whether it is a time in seconds since 1970 (RFC 7519, 2, NumericDate)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < 10**_DIGITS


def _sign(secret: bytes, signed: str) -> bytes:
    return hmac.digest(secret, signed.encode(), sha256().name)


def _encode(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(part: str) -> Mapping[str, object]:
    """What a signed part holds; nothing where it is no JSON object."""
    try:
        found: object = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
