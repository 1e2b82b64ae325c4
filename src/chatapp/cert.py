"""``chatcore cert``: a certificate to try TLS with, and the authority that signed it.

The authority's own key is kept nowhere: it signs this certificate and no other.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import trustme

from chatapp.command_settings import CertSettings
from chatapp.errors import CannotWrite, SettingWrong, WouldOverwrite

_VALID: Final = timedelta(days=397)
"""Browsers take none that lasts for longer."""
_CA: Final = "chatcore-ca.pem"
_CERTIFICATE: Final = "chatcore-cert.pem"
_KEY: Final = "chatcore-key.pem"


def run(settings: CertSettings) -> int:
    """Write the three files and say how to use them; the exit status.

    Raises:
        SettingWrong: a name that no certificate can be for.
        WouldOverwrite: one of the files is there; nothing was written.
        CannotWrite: the folder takes no files.
    """
    folder = Path(settings.out)
    texts = _issue(settings.names)
    there = [str(folder / it) for it in texts if (folder / it).exists()]
    if there and not settings.force:
        raise WouldOverwrite(
            f"{', '.join(there)} would be lost: say --force to replace."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _replace(folder / name, text, is_private=name == _KEY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotWrite(f"{folder} cannot be written to: {reason}.") from error
    _tell(folder, settings.names)
    return 0


def _issue(names: tuple[str, ...]) -> dict[str, bytes]:
    """What stands in each file."""
    authority = trustme.CA(organization_unit_name="chatcore, to try TLS with")
    try:
        issued = authority.issue_cert(
            *names,
            organization_unit_name="chatcore, to try TLS with",
            not_after=datetime.now(UTC).replace(tzinfo=None) + _VALID,
        )
    except ValueError as error:
        raise SettingWrong(f"No certificate can be for {names}: {error}.") from error
    return {
        _CA: authority.cert_pem.bytes(),
        _CERTIFICATE: b"".join(it.bytes() for it in issued.cert_chain_pems),
        _KEY: issued.private_key_pem.bytes(),
    }


def _replace(path: Path, text: bytes, *, is_private: bool) -> None:
    """Write a file whole or not at all; a private one is nobody else's to read (B8)."""
    with NamedTemporaryFile(dir=path.parent, delete=False) as written:
        written.write(text)
    temporary = Path(written.name)
    try:
        temporary.chmod(0o600 if is_private else 0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _tell(folder: Path, names: tuple[str, ...]) -> None:
    certificate, key, authority = (folder / it for it in (_CERTIFICATE, _KEY, _CA))
    host = names[0]
    print(
        f"Wrote {certificate}, {key} (private) and {authority}, for {_VALID.days} days."
    )
    print(
        "Serve:   ", f"chatcore serve --tls-certificate {certificate} --tls-key {key}"
    )
    print("Connect: ", f"chatcore client --host {host} --tls-ca {authority}")
