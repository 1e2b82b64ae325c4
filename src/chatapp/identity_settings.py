"""What can be set in ``serve`` about who says who somebody is."""

from dataclasses import dataclass
from typing import Final

from chatapp.errors import SettingWrong
from chatapp.settings import setting

_MOST_LEEWAY_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """The application's users: one way at the most; else accounts have passwords."""

    identities: str = setting(
        "",
        help="the application's own users, by proofs: an object with Identities' "
        "identify, or a class or function that makes one",
        metavar="MODULE:OBJECT",
    )
    credentials: str = setting(
        "",
        help="the application's own users, by passwords: an object with Credentials' "
        "check, or a class or function that makes one",
        metavar="MODULE:OBJECT",
    )
    proof_secret: str = setting(
        "",
        help="users have proofs, which the application signs with the secret in this "
        "file, as chatcore proof does",
        metavar="FILE",
    )
    jwt_jwks: str = setting(
        "",
        help="users have JSON Web Tokens of an issuer, whose keys are here",
        metavar="URL|FILE",
    )
    jwt_issuer: str = setting(
        "", help="with --jwt-jwks: who has to have issued a token", metavar="NAME"
    )
    jwt_audience: str = setting(
        "", help="with --jwt-jwks: whom a token has to be for", metavar="NAME"
    )
    jwt_algorithms: str = setting(
        "RS256,ES256,EdDSA",
        help="with --jwt-jwks: the signatures that are accepted",
        metavar="NAMES",
    )
    jwt_username: str = setting(
        "sub", help="with --jwt-jwks: the claim that names the user", metavar="CLAIM"
    )
    jwt_leeway: float = setting(
        10.0,
        help="with --jwt-jwks: by how many seconds clocks may differ",
        metavar="SECONDS",
    )

    @property
    def has_proofs(self) -> bool:
        """Whether users show proofs, and nobody has a password."""
        return bool(self.identities or self.proof_secret or self.jwt_jwks)

    def check_identities(self) -> None:
        """Refuse what contradicts itself."""
        ways = {
            "--identities": self.identities,
            "--credentials": self.credentials,
            "--proof-secret": self.proof_secret,
            "--jwt-jwks": self.jwt_jwks,
        }
        given = [flag for flag, value in ways.items() if value]
        if len(given) > 1:
            raise SettingWrong(f"{' and '.join(given)} are two ways: choose one.")
        if self.jwt_jwks and not (self.jwt_issuer and self.jwt_audience):
            raise SettingWrong("--jwt-jwks needs --jwt-issuer and --jwt-audience.")
        if not self.jwt_jwks and (self.jwt_issuer or self.jwt_audience):
            raise SettingWrong("--jwt-issuer and --jwt-audience are for --jwt-jwks.")
        if not 0 <= self.jwt_leeway <= _MOST_LEEWAY_S:
            raise SettingWrong(f"jwt_leeway is 0 to {_MOST_LEEWAY_S} seconds.")

    @property
    def has_passwords(self) -> bool:
        """Whether accounts have passwords of the chat's own."""
        ways = (self.identities, self.credentials, self.proof_secret, self.jwt_jwks)
        return not any(ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSettings:
    """Settings of ``chatcore proof``."""

    name: str = setting(
        "", help="whose proof it is: the name of a user", metavar="NAME", word="one"
    )
    proof_secret: str = setting(
        "", help="the file of the secret that serve has as well", metavar="FILE"
    )
    expires_in: float = setting(
        300.0, help="for how many seconds it holds", metavar="SECONDS"
    )

    def __post_init__(self) -> None:
        """Refuse what makes no proof."""
        if not self.proof_secret:
            raise SettingWrong("Say what signs it: --proof-secret FILE.")
        if self.expires_in <= 0:
            raise SettingWrong("--expires-in is above 0.")
