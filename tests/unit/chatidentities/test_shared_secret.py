"""Proofs under a secret that the application and the chat share."""

import json
import time
from typing import Any

import jwt
import pytest

from chatcore import Identity, SecretTooShort, SharedSecret, sign_proof
from tests.unit.chatidentities.issuer import FAR_S, claim

SECRET = b"correct horse battery staple, and so much more that HS512 has enough"
CLAIMS = {"sub": "ada", "aud": "chatcore", "exp": FAR_S}
SHARED = SharedSecret(SECRET, may_create=False)


async def test_what_the_application_signs_names_its_user_and_its_end() -> None:
    before_s = int(time.time())

    found = await SHARED.identify(claim(sign_proof(SECRET, "ada", expires_in_s=60)))

    assert found is not None
    assert (found.username, found.may_create) == ("ada", False)
    assert found.expires_at_ms is not None
    assert 0 <= found.expires_at_ms // 1000 - 60 - before_s <= 5


async def test_another_library_may_sign_and_read_it() -> None:
    signed = jwt.encode(CLAIMS, SECRET, algorithm="HS256")

    found = await SHARED.identify(claim(signed))
    read = jwt.decode(
        sign_proof(SECRET, "bob"), SECRET, algorithms=["HS256"], audience="chatcore"
    )

    assert found == Identity(
        username="ada", expires_at_ms=FAR_S * 1000, may_create=False
    )
    assert read["sub"] == "bob"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": None},
        {"aud": "shop"},
        {"exp": None},
        {"exp": True},
        {"exp": 1e300},
        {"exp": -1},
        {"nbf": FAR_S},
        {"nbf": "now"},
        {"sub": 7},
    ],
    ids=str,
)
async def test_what_is_not_for_here_and_now_is_not_accepted(
    changed: dict[str, Any],
) -> None:
    claims = {k: v for k, v in {**CLAIMS, **changed}.items() if v is not None}
    signed = jwt.PyJWS().encode(jwt_bytes(claims), SECRET, "HS256")

    assert await SHARED.identify(claim(signed)) is None


def jwt_bytes(claims: dict[str, Any]) -> bytes:
    """The claims as they are signed, also those that no library would sign."""
    return json.dumps(claims).encode()


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
async def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    secret = SECRET if algorithm != "none" else None
    signed = jwt.encode(CLAIMS, secret, algorithm=algorithm)  # type: ignore[arg-type]  # None is for none

    assert await SHARED.identify(claim(signed)) is None


async def test_what_was_forged_or_changed_is_not_accepted() -> None:
    head, payload, signature = sign_proof(SECRET, "ada").split(".")
    _, other, _ = sign_proof(SECRET, "bob").split(".")
    forged = [
        "",
        ".",
        "..",
        "é.é.é",
        f"{head}.{payload}.",
        f"{head}.{other}.{signature}",
        f"{head}.{payload}.{signature}x",
        f"{payload}.{signature}",
        sign_proof(b"x" * 32, "ada"),
    ]

    found = [await SHARED.identify(claim(it)) for it in forged]

    assert found == [None] * len(forged)


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(SecretTooShort):
        SharedSecret(b"secret")
    with pytest.raises(SecretTooShort):
        sign_proof(b"x" * 31, "ada")
