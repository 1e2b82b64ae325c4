"""Whom ``serve`` asks who somebody is: one way, and each mistake with its number."""

import sys
from pathlib import Path
from typing import Any

import pytest

from chatapp.command_settings import ServeSettings
from chatapp.errors import CannotLoad, SettingWrong
from chatapp.identities import open_identities
from chatapp.identity_settings import IdentitySettings, ProofSettings
from chatapp.proof import run
from chatcore import JwtIdentities, SharedSecret
from chatcore.identification import PasswordIdentities
from tests.unit.chatidentities.issuer import (
    AUDIENCE,
    ISSUER,
    Issuer,
    Published,
    claim,
    key_set,
    publishing,
)

TOKENS: dict[str, Any] = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


async def test_without_a_word_accounts_have_passwords() -> None:
    settings = IdentitySettings()

    assert await open_identities(settings, folder=".") is None
    assert settings.has_passwords


async def test_a_secret_is_shared_with_chatcore_proof(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 32 + b"\n")
    run(ProofSettings(name="ada", proof_secret=str(secret)))
    proof = capsys.readouterr().out.strip()

    found = await open_identities(
        IdentitySettings(proof_secret=str(secret)), folder="."
    )

    assert isinstance(found, SharedSecret)
    identity = await found.identify(claim(proof))
    assert identity is not None
    assert identity.username == "ada"


async def test_tokens_are_judged_by_the_keys_of_a_file_or_a_url(tmp_path: Path) -> None:
    issuer = Issuer()
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(issuer.jwk()))
    with publishing(Published(key_set(issuer.jwk()))) as url:
        for place in (str(file), url):
            settings = IdentitySettings(jwt_jwks=place, **TOKENS)
            found = await open_identities(settings, folder=".")
            assert isinstance(found, JwtIdentities)
            assert await found.identify(claim(issuer.sign())) is not None


async def test_keys_at_a_url_may_come_up_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    published = Published(b"")
    with publishing(published) as url:
        settings = IdentitySettings(jwt_jwks=url, **TOKENS)

        found = await open_identities(settings, folder=".")

    assert isinstance(found, JwtIdentities)
    assert "nobody logs in until they can be" in caplog.text


async def test_objects_of_the_application_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "identity_club.py").write_text(
        "class Club:\n"
        "    async def identify(self, claim):\n"
        "        return None\n"
        "class Doors:\n"
        "    async def check(self, username, password):\n"
        "        return True\n"
    )
    folder = str(tmp_path)

    club = await open_identities(
        IdentitySettings(identities="identity_club:Club"), folder=folder
    )
    doors = await open_identities(
        IdentitySettings(credentials="identity_club:Doors"), folder=folder
    )

    assert type(club).__name__ == "Club"
    assert isinstance(doors, PasswordIdentities)
    with pytest.raises(CannotLoad, match=r"async def identify\(self, claim\)"):
        await open_identities(
            IdentitySettings(identities="identity_club:Doors"), folder=folder
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"identities": "a:b", "credentials": "c:d"},
        {"proof_secret": "a", "jwt_jwks": "b", **TOKENS},
        {"jwt_jwks": "keys.json"},
        {"jwt_jwks": "keys.json", "jwt_issuer": "me"},
        {"jwt_issuer": "me"},
        {"jwt_leeway": -1},
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingWrong):
        ServeSettings(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jwt_jwks": "http://example.org/keys", **TOKENS},
        {"jwt_jwks": "keys.json", "jwt_algorithms": "HS256", **TOKENS},
        {"jwt_jwks": "keys.json", "jwt_algorithms": "", **TOKENS},
        {"proof_secret": "nothing-there"},
    ],
    ids=str,
)
async def test_what_cannot_be_safe_or_read_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingWrong):
        await open_identities(IdentitySettings(**wrong), folder=".")


async def test_a_file_without_keys_and_a_short_secret_are_refused(
    tmp_path: Path,
) -> None:
    file = tmp_path / "short"
    file.write_bytes(b"{}")

    with pytest.raises(CannotLoad):
        await open_identities(
            IdentitySettings(jwt_jwks=str(file), **TOKENS), folder="."
        )
    with pytest.raises(SettingWrong):
        await open_identities(IdentitySettings(proof_secret=str(file)), folder=".")
    with pytest.raises(SettingWrong):
        run(ProofSettings(name="ada", proof_secret=str(file)))
    for given in ({"proof_secret": ""}, {"proof_secret": "a", "expires_in": 0.0}):
        with pytest.raises(SettingWrong):
            ProofSettings(name="ada", **given)
