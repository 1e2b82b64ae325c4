"""TLS as gRPC wants to be told of it."""

from grpc import (
    ChannelCredentials,
    ServerCertificateConfiguration,
    ServerCredentials,
    dynamic_ssl_server_credentials,
    ssl_channel_credentials,
    ssl_server_certificate_configuration,
)

from transports.base import Address, LinkSettings
from transports.certificates import read_client_files
from transports.errors import BadUrl, CannotConnect
from transports.tls import CertificateInUse, CertificateUnusable, PemFiles


def credentials_for(
    address: Address, settings: LinkSettings
) -> ServerCredentials | None:
    """What a listener shows; None for a URL without TLS.

    Raises:
        BadUrl: there is no certificate.
    """
    if not address.is_secure:
        return None
    certificate = settings.certificate
    if certificate is None:
        raise BadUrl(address.text, "with TLS it needs a certificate")
    return dynamic_ssl_server_credentials(
        _configuration(certificate.pem),
        _Renewal(certificate).fetch,  # type: ignore[arg-type]  # None is for no change
        require_client_authentication=certificate.pem.client_ca is not None,
    )


class _Renewal:
    """Asked at each handshake, in a thread of gRPC's, what is to be shown now."""

    def __init__(self, certificate: CertificateInUse) -> None:
        self._certificate = certificate
        self._shown = certificate.pem

    def fetch(self) -> ServerCertificateConfiguration | None:
        """What to show from now on; None for what was."""
        pem = self._certificate.pem
        if pem is self._shown:
            return None
        self._shown = pem
        return _configuration(pem)


def _configuration(pem: PemFiles) -> ServerCertificateConfiguration:
    return ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], root_certificates=pem.client_ca
    )


def credentials_to_dial(
    address: Address, settings: LinkSettings
) -> ChannelCredentials | None:
    """What an address is connected to with; None for a URL without TLS.

    Raises:
        CannotConnect: files that cannot be used.
    """
    if not address.is_secure:
        return None
    try:
        return ssl_channel_credentials(*read_client_files(settings.client_tls))
    except CertificateUnusable as error:
        raise CannotConnect(address.text, str(error).rstrip(".")) from error
