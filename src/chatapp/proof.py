"""``chatcore proof``: sign a proof of who a user is, with the application's secret."""

import sys

from chatapp.errors import SettingWrong
from chatapp.identities import read_secret
from chatapp.identity_settings import ProofSettings
from chatidentities.shared_secret import SecretTooShort, sign_proof


def run(settings: ProofSettings) -> int:
    """Print a proof; the exit status.

    Raises:
        SettingWrong: the secret cannot be read, or could be guessed.
    """
    try:
        proof = sign_proof(
            read_secret(settings.proof_secret, flag="--proof-secret"),
            settings.name,
            expires_in_s=settings.expires_in,
        )
    except SecretTooShort as error:
        raise SettingWrong(f"--proof-secret: {error}") from error
    sys.stdout.write(f"{proof}\n")
    return 0
