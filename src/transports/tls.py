"""TLS: the files that each end names; ``certificates`` reads them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from chatcore.errors import ChatError

SECURE_SCHEMES: Final[Mapping[str, str]] = {
    "tcp": "tcps",
    "ws": "wss",
    "grpc": "grpcs",
    "http": "https",
}
"""The schemes of URLs that stand for the same with TLS."""


class CertificateUnusable(ChatError):
    """Files of a certificate, a key or an authority that nothing can be done with."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be used for TLS: {reason}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """What a server shows, and whether it asks to be shown something.

    Attributes:
        certificate: the path of a PEM file: the certificate, then its intermediates.
        key: the path of its private key, without a passphrase.
        client_ca: the path of the authorities, one of which must have signed the
            certificate of each client; empty where clients need none.
    """

    certificate: str
    key: str
    client_ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """Whom a client trusts, and what it shows.

    That the server's certificate is for the host of the URL is always checked.

    Attributes:
        ca: the path of the authorities to trust instead of the system's.
        certificate: the path of a certificate, for a server that asks for one.
        key: the path of its private key, without a passphrase.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        """A certificate is nothing without its key."""
        if bool(self.certificate) != bool(self.key):
            given = self.certificate or self.key
            raise CertificateUnusable(given, "a certificate and its key go together")


SYSTEM_TRUST: Final = ClientTls()
"""Trust whom the system trusts, and show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PemFiles:
    """What stood in the files of a ``ServerTls``, of one time."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None


class CertificateInUse(Protocol):
    """A server's certificate, as its listeners see it: it may be renewed meanwhile."""

    @property
    def pem(self) -> PemFiles:
        """The files' content, for a library that makes its own use of it."""
        ...

    def context(self, *protocols: str) -> ssl.SSLContext:
        """For the next connection, which may speak these protocols (RFC 7301)."""
        ...
