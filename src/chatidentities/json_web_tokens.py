"""Users who come with a JSON Web Token (RFC 7519) of an issuer that publishes its keys.

What a token says of itself is believed only as far as the settings allow (RFC 8725):
the algorithm is one of those that were named, and the key is one of the issuer's for
that algorithm; issuer, audience and an end are there and right.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jwt
from jwt.exceptions import PyJWTError

from chatcore.claims import Claim, Identity
from chatidentities.key_set import KeySet

_MS: Final = 1000
ALGORITHMS: Final = frozenset(
    {
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "EdDSA",
    }
)
"""Those with a public key. One with a secret is for ``SharedSecret``: whoever takes
both can be shown a token that was signed with the public key as the secret.
"""

_UNREADABLE: Final = (
    PyJWTError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
)


class TokensWrong(ValueError):
    """Settings under which no token could be told from a forged one."""


class JwtIdentities:
    """Whoever has a token of this issuer for this audience.

    Args:
        jwks: where the issuer's keys are: a URL or a file.
        issuer: who has to have issued a token (``iss``).
        audience: whom it has to be for (``aud``).
        algorithms: which signatures are accepted.
        username_claim: what names the user.
        leeway_s: by how much clocks may differ.
        may_create: whether a login makes the account where there is none.

    Attributes:
        keys: those of the issuer.

    Raises:
        TokensWrong: something of this is missing, or cannot be safe.
        KeySetWrong: keys are not fetched from there.
    """

    def __init__(
        self,
        jwks: str | Path | KeySet,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        username_claim: str = "sub",
        leeway_s: float = 10.0,
        may_create: bool = True,
    ) -> None:
        if not issuer or not audience or not username_claim:
            raise TokensWrong("A token is judged by its issuer, audience and user.")
        wrong = [it for it in algorithms if it not in ALGORITHMS]
        if wrong or not algorithms or isinstance(algorithms, str):
            given = ", ".join(wrong or algorithms) or "none"
            known = ", ".join(sorted(ALGORITHMS))
            raise TokensWrong(f"Algorithms of tokens are some of {known}, not {given}.")
        self.keys = jwks if isinstance(jwks, KeySet) else KeySet(jwks)
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms)
        self._username_claim = username_claim
        self._leeway_s = leeway_s
        self._may_create = may_create

    async def identify(self, claim: Claim) -> Identity | None:
        """See ``chatcore.ports.Identities``."""
        try:
            header = jwt.get_unverified_header(claim.proof)
        except _UNREADABLE:
            return None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            return None
        if "crit" in header:  # something that had to be understood
            return None
        key = await self.keys.find(key_id, algorithm)
        if key is None:
            return None
        try:
            payload = jwt.decode(
                claim.proof,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway_s,
                options={"require": ["exp", "iss", "aud", self._username_claim]},
            )
            return self._identity(payload)
        except _UNREADABLE:
            return None

    def _identity(self, payload: Mapping[str, Any]) -> Identity | None:
        username = payload[self._username_claim]
        if not isinstance(username, str) or not username:
            return None
        return Identity(
            username=username,
            expires_at_ms=int((payload["exp"] + self._leeway_s) * _MS),
            may_create=self._may_create,
        )
