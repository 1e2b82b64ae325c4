"""Tokens of an issuer: what is accepted, and each known way to forge one (RFC 8725)."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chatcore import Identity, JwtIdentities, TokensWrong
from tests.unit.chatidentities.issuer import (
    AUDIENCE,
    CLAIMS,
    FAR_S,
    ISSUER,
    Issuer,
    claim,
    elliptic_jwk,
    key_set,
)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def keys(issuer: Issuer, tmp_path: Path) -> Path:
    """The file of the issuer's keys."""
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(issuer.jwk()))
    return file


def identities(keys: Path, *algorithms: str, **changed: Any) -> JwtIdentities:
    asked: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, **changed}
    return JwtIdentities(keys, algorithms=algorithms or ("RS256",), **asked)


def base64url(value: bytes | dict[str, object]) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_token_names_its_user_and_its_end(issuer: Issuer, keys: Path) -> None:
    found = await identities(keys).identify(claim(issuer.sign()))

    ends_ms = (FAR_S + 10) * 1000
    assert found == Identity(username="ada", expires_at_ms=ends_ms, may_create=True)


async def test_another_claim_may_name_the_user_who_may_then_not_create(
    issuer: Issuer, keys: Path
) -> None:
    judge = identities(keys, username_claim="nick", leeway_s=0, may_create=False)

    found = await judge.identify(claim(issuer.sign(sub="7", nick="bob")))
    without = await judge.identify(claim(issuer.sign()))

    assert found == Identity(
        username="bob", expires_at_ms=FAR_S * 1000, may_create=False
    )
    assert without is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://issuer.example.evil"},
        {"iss": "https://issuer"},
        {"iss": None},
        {"aud": "shop"},
        {"aud": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": 10**400},
        {"nbf": FAR_S},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"headers": {"crit": ["exp"]}},
        {"headers": {"kid": "2"}},
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_here_and_now_is_not_accepted(
    issuer: Issuer, keys: Path, changed: dict[str, Any]
) -> None:
    judge = identities(keys)

    found = await judge.identify(claim(issuer.sign(**changed)))

    assert found is None
    assert await judge.identify(claim(issuer.sign())) is not None


async def test_a_token_that_has_expired_is_accepted_within_the_leeway_alone(
    issuer: Issuer, keys: Path
) -> None:
    token = issuer.sign(exp=int(time.time()) - 60)

    strict = await identities(keys).identify(claim(token))
    lenient = await identities(keys, leeway_s=3600).identify(claim(token))

    assert strict is None
    assert lenient is not None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
async def test_a_token_that_says_it_needs_no_signature_is_refused(
    keys: Path, name: str
) -> None:
    signed = f"{base64url({'alg': name, 'kid': '1'})}.{base64url(dict(CLAIMS))}"
    judge = identities(keys)

    for signature in ("", base64url(b"x" * 256)):
        assert await judge.identify(claim(f"{signed}.{signature}")) is None


async def test_the_public_key_is_no_secret_to_sign_with(
    issuer: Issuer, keys: Path
) -> None:
    """The confusion of HS256 with RS256 (CVE-2016-10555)."""
    judge = identities(keys, "RS256", "ES256", "PS256")
    published = key_set(issuer.jwk())

    for secret in (issuer.public_pem, issuer.public_pem.strip(), published):
        for name, kind in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            signed = f"{base64url({'alg': name, 'kid': '1'})}.{base64url(dict(CLAIMS))}"
            forged = base64url(hmac.digest(secret, signed.encode(), kind().name))
            assert await judge.identify(claim(f"{signed}.{forged}")) is None


async def test_a_key_that_the_token_brings_or_points_to_is_not_used(
    keys: Path,
) -> None:
    thief = Issuer("1")
    pointers = (
        {"jwk": thief.jwk()},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"kid": "../../../dev/null"},
        {"kid": None, "jwk": thief.jwk()},
    )

    for headers in pointers:
        found = await identities(keys).identify(claim(thief.sign(headers=headers)))
        assert found is None


async def test_an_algorithm_that_was_not_named_is_not_accepted(
    issuer: Issuer, keys: Path
) -> None:
    token = issuer.sign(algorithm="RS512")

    assert await identities(keys, "RS256").identify(claim(token)) is None
    assert await identities(keys, "RS512").identify(claim(token)) is not None


async def test_a_key_serves_the_algorithm_that_it_names_and_no_other(
    issuer: Issuer, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(issuer.jwk(alg="RS256")))
    judge = identities(keys, "RS256", "PS256")

    assert await judge.identify(claim(issuer.sign(algorithm="PS256"))) is None
    assert await judge.identify(claim(issuer.sign(algorithm="RS256"))) is not None


async def test_secrets_and_keys_for_encryption_among_the_keys_are_left_out(
    issuer: Issuer, tmp_path: Path
) -> None:
    secret = base64url(b"s" * 32)
    keys = tmp_path / "keys.json"
    keys.write_bytes(
        key_set(
            {"kty": "oct", "k": secret, "kid": "s", "alg": "HS256"},
            issuer.jwk(use="enc", kid="e"),
            {"kty": "RSA", "kid": "broken"},
            issuer.jwk(),
        )
    )
    judge = identities(keys)
    forged = jwt.encode(CLAIMS, b"s" * 32, algorithm="HS256", headers={"kid": "s"})

    assert await judge.identify(claim(forged)) is None
    assert await judge.identify(claim(issuer.sign(headers={"kid": "e"}))) is None
    assert await judge.identify(claim(issuer.sign())) is not None


async def test_without_an_id_the_only_key_for_the_algorithm_is_meant(
    issuer: Issuer, tmp_path: Path
) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(issuer.jwk(), elliptic_jwk(curve, kid="c")))
    token = jwt.encode(CLAIMS, curve, algorithm="ES256")
    nameless = issuer.sign(headers={"kid": None})
    one = await identities(keys, "ES256", "RS256").identify(claim(token))
    keys.write_bytes(key_set(issuer.jwk(), Issuer("2").jwk()))
    two = await identities(keys).identify(claim(nameless))

    assert one is not None
    assert two is None


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "ada",
        "..",
        "a.b.c",
        "\u2028.é.x",
        f"{base64url(b'[' * 10_000)}.{base64url(b'{}')}.x",
        f"{base64url(b'{' * 10_000)}.{base64url(b'{}')}.x",
        f"{base64url({'alg': ['RS256']})}.{base64url({})}.x",
        f"{base64url({'alg': 'RS256', 'kid': 7})}.{base64url({})}.x",
        f"{base64url({'alg': {}})}.{base64url({})}.x",
        f"{base64url(b'null')}.{base64url({})}.x",
    ],
    ids=lambda it: it[:16],
)
async def test_what_is_no_token_is_no_fault_of_ours(keys: Path, proof: str) -> None:
    assert await identities(keys).identify(claim(proof)) is None


async def test_a_token_that_was_changed_after_it_was_signed_is_refused(
    issuer: Issuer, keys: Path
) -> None:
    head, payload, signature = issuer.sign().split(".")
    other = base64url({**CLAIMS, "sub": "bob"})
    judge = identities(keys)

    assert await judge.identify(claim(f"{head}.{other}.{signature}")) is None
    assert await judge.identify(claim(f"{head}.{payload}.")) is None
    assert await judge.identify(claim(f"{head}.{payload}.{signature}")) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": ""},
        {"audience": ""},
        {"algorithms": ()},
        {"algorithms": "RS256"},
        {"algorithms": ("HS256",)},
        {"algorithms": ("RS256", "none")},
    ],
    ids=str,
)
def test_settings_without_which_no_token_is_safe_are_refused(
    keys: Path, changed: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ("RS256",),
        **changed,
    }

    with pytest.raises(TokensWrong):
        JwtIdentities(keys, **asked)
