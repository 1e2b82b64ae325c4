"""Certificates for servers and clients of tests, made once and gone at the end."""

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

import trustme

from transports.tls import ClientTls, ServerTls

NAMES: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority and the folder of what it has issued."""

    ca: trustme.CA
    folder: Path

    @property
    def path(self) -> str:
        """Where its own certificate stands."""
        return str(self.folder / "ca.pem")

    def issue(self, name: str, *identities: str) -> tuple[str, str]:
        """Write a new certificate and its key, over those of this name; where."""
        issued = self.ca.issue_cert(*(identities or NAMES))
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        certificate.write_bytes(b"".join(it.bytes() for it in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return str(certificate), str(key)

    def server(self, name: str = "server", *identities: str) -> ServerTls:
        """A server's files, which are new."""
        certificate, key = self.issue(name, *identities)
        return ServerTls(certificate=certificate, key=key)


def make_authority(folder: Path) -> Authority:
    """An authority whose files stand in a folder."""
    made = Authority(trustme.CA(), folder)
    made.ca.cert_pem.write_to_path(made.path)
    return made


@cache
def _shared() -> Authority:
    folder = mkdtemp(prefix="chatcore-tests-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return make_authority(Path(folder))


@cache
def server_tls() -> ServerTls:
    """For a server that any test may have."""
    return _shared().server()


@cache
def client_tls() -> ClientTls:
    """For its clients."""
    return ClientTls(ca=_shared().path)
