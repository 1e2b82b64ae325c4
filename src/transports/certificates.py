"""Certificates and keys as they stand in their files, and contexts made of them.

TLS 1.2 and later, with the ciphers of Python's default context. A server's certificate
may be renewed while it serves: ``ServerCertificate`` makes new contexts of new files,
and connections that are open keep theirs.
"""

import logging
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from transports.base import Address, LinkSettings
from transports.errors import CannotConnect
from transports.tls import CertificateUnusable, ClientTls, PemFiles, ServerTls

_Pem: TypeAlias = bytes | None

_log = logging.getLogger(__name__)


class ServerCertificate:
    """A server's certificate, which is read again when its files change.

    Attributes:
        pem: the files' content, for a library that makes its own use of it.
    """

    pem: PemFiles

    def __init__(self, tls: ServerTls) -> None:
        """Read the files.

        Raises:
            CertificateUnusable: they cannot be read, or do not go together.
        """
        self.tls = tls
        self._paths = [it for it in (tls.certificate, tls.key, tls.client_ca) if it]
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._seen = self._versions()
        self._load()

    def context(self, *protocols: str) -> ssl.SSLContext:
        """For the next connection, which may speak these protocols (RFC 7301)."""
        if protocols not in self._contexts:
            made = self._contexts[()] if not protocols else _server_context(self.tls)
            if protocols:
                made.set_alpn_protocols(list(protocols))
            self._contexts[protocols] = made
        return self._contexts[protocols]

    def reload_if_changed(self) -> None:
        """Look whether the files are others than they were, and read them if so."""
        versions = self._versions()
        if versions != self._seen:
            self._seen = versions
            self.reload()

    def reload(self) -> None:
        """Read the files; where they cannot be used what was there stays in use."""
        try:
            self._load()
        except CertificateUnusable as error:
            _log.warning("The certificate in use stays: %s", error)
        else:
            _log.info("New connections get the certificate in %s", self.tls.certificate)

    def _load(self) -> None:
        pem = self._read()
        protocols = list(self._contexts) or [()]
        made = {it: _server_context(self.tls) for it in protocols}
        if self._read() != pem:
            raise CertificateUnusable(self.tls.certificate, "it is being written")
        for names, context in made.items():
            if names:
                context.set_alpn_protocols(list(names))
        self.pem, self._contexts = pem, made

    def _read(self) -> PemFiles:
        tls = self.tls
        return PemFiles(
            certificate=_read(tls.certificate),
            key=_read(tls.key),
            client_ca=_read(tls.client_ca) if tls.client_ca else None,
        )

    def _versions(self) -> list[tuple[int, int, int]]:
        return [_version(it) for it in self._paths]


def client_context(tls: ClientTls, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """What a client connects with.

    Raises:
        CertificateUnusable: one of its files cannot be used.
    """
    if tls.ca:
        _read(tls.ca)
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
    except ssl.SSLError as error:
        raise CertificateUnusable(tls.ca, "it holds no certificate") from error
    _harden(context)
    if tls.certificate:
        _load_pair(context, tls.certificate, tls.key)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def context_to_dial(
    address: Address, settings: LinkSettings, *protocols: str
) -> ssl.SSLContext:
    """What an address is connected to with; raises ``CannotConnect``."""
    try:
        return client_context(settings.client_tls, protocols)
    except CertificateUnusable as error:
        raise CannotConnect(address.text, str(error).rstrip(".")) from error


def read_client_files(tls: ClientTls) -> tuple[_Pem, _Pem, _Pem]:
    """The authorities, the key and the certificate, for a library of its own.

    Authorities are the system's where none are named; None where it has no file.

    Raises:
        CertificateUnusable: one of its files cannot be used.
    """
    client_context(tls)  # which finds what is wrong with them
    path = tls.ca or ssl.get_default_verify_paths().cafile or ""
    ca = _read(path) if path else None
    if not tls.certificate:
        return ca, None, None
    return ca, _read(tls.key), _read(tls.certificate)


def _server_context(tls: ServerTls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _harden(context)
    _load_pair(context, tls.certificate, tls.key)
    if tls.client_ca:
        _read(tls.client_ca)
        try:
            context.load_verify_locations(tls.client_ca)
        except ssl.SSLError as error:
            reason = "it holds no certificate"
            raise CertificateUnusable(tls.client_ca, reason) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A peer of TLS 1.2 could have the other do the dear part again and again.
    context.options |= ssl.OP_NO_RENEGOTIATION


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    for path in (certificate, key):
        _read(path)

    def ask() -> NoReturn:  # without it, OpenSSL would ask on the terminal
        raise CertificateUnusable(key, "it has a passphrase")

    try:
        context.load_cert_chain(certificate, key, password=ask)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = f"it is not the key of {certificate}"
            raise CertificateUnusable(key, reason) from error
        reason = f"with {key} it is no certificate and key in PEM"
        raise CertificateUnusable(certificate, reason) from error


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CertificateUnusable(path, reason) from error


def _version(path: str) -> tuple[int, int, int]:
    """What changes with a file's content; zeros where there is none just now."""
    try:
        found = os.stat(path)  # noqa: PTH116  # asked for every second
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
