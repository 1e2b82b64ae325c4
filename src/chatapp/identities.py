"""Who says who somebody is, as ``serve`` was told."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.errors import CannotLoad, SettingWrong
from chatapp.extensions import load_credentials, load_identities
from chatapp.identity_settings import IdentitySettings
from chatcore.identification import PasswordIdentities
from chatcore.ports import Identities

if TYPE_CHECKING:
    from chatidentities.json_web_tokens import JwtIdentities

_log = logging.getLogger(__name__)


async def open_identities(
    settings: IdentitySettings, *, folder: str
) -> Identities | None:
    """What judges who somebody is; None where accounts have passwords.

    Raises:
        CannotLoad: what was named cannot be used.
        ModuleNotFoundError: what reads tokens is not installed.
        SettingWrong: a secret, or what tokens are judged by, cannot be safe.
    """
    credentials = load_credentials(settings.credentials, folder=folder)
    if credentials is not None:
        return PasswordIdentities(credentials)
    if settings.proof_secret:
        from chatidentities.shared_secret import SecretTooShort, SharedSecret  # noqa: PLC0415  # where it is asked for

        try:
            secret = read_secret(settings.proof_secret, flag="--proof-secret")
            return SharedSecret(secret)
        except SecretTooShort as error:
            raise SettingWrong(f"--proof-secret: {error}") from error
    if settings.jwt_jwks:
        return await _tokens(settings)
    return load_identities(settings.identities, folder=folder)


async def _tokens(settings: IdentitySettings) -> "JwtIdentities":
    from chatidentities.json_web_tokens import JwtIdentities, TokensWrong  # noqa: PLC0415  # an extra
    from chatidentities.key_set import KeySetUnreadable, KeySetWrong  # noqa: PLC0415  # as above

    try:
        identities = JwtIdentities(
            settings.jwt_jwks,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            algorithms=[it for it in settings.jwt_algorithms.split(",") if it],
            username_claim=settings.jwt_username,
            leeway_s=settings.jwt_leeway,
        )
    except (TokensWrong, KeySetWrong) as error:
        raise SettingWrong(str(error)) from error
    try:
        await identities.keys.load()
    except KeySetUnreadable as error:
        if "://" not in settings.jwt_jwks:
            raise CannotLoad(f"--jwt-jwks: {error}.") from error
        # It may come up after us.
        _log.warning("%s; nobody logs in until they can be", error)
    return identities


def read_secret(path: str, *, flag: str) -> bytes:
    """The secret in a file, without the line end that an editor has left.

    Raises:
        SettingWrong: it cannot be read.
    """
    try:
        return Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise SettingWrong(
            f"{flag}: {path} cannot be read: {error.strerror or error}."
        ) from error
