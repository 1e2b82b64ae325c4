"""Whether what is said to a server can be read on the way, and who has agreed to it."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from chatapp.errors import SettingWrong


def check_exposure(urls: Iterable[str]) -> None:
    """Raise ``SettingWrong`` for a plain URL that is reached from other machines."""
    from transports.base import parse_address  # noqa: PLC0415  # slow: --help needs none
    from transports.tls import SECURE_SCHEMES  # noqa: PLC0415  # as above

    for url in urls:
        address = parse_address(url)
        if address.scheme in SECURE_SCHEMES and not is_on_loopback(url):
            raise SettingWrong(
                f"{url} is reached from other machines, and without TLS passwords and "
                "messages can be read on the way: give --tls-certificate and --tls-key "
                f"and listen on {SECURE_SCHEMES[address.scheme]}:// (chatcore cert "
                "makes a certificate to try it with), or say --insecure."
            )


def is_on_loopback(url: str) -> bool:
    """Whether a listener of this URL is reached from this machine alone.

    A name that is none is not reached at all: listening says what is wrong.
    """
    from transports.base import parse_address  # noqa: PLC0415  # as above

    address = parse_address(url)
    host = address.host
    if address.scheme == "loopback":
        return True
    if not host:
        return False
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    addresses = {str(it[4][0]).partition("%")[0] for it in found}
    return all(ip_address(it).is_loopback for it in addresses)


def check_networks(names: str) -> None:
    """Raise ``SettingWrong`` for a list of networks in which one is none."""
    for name in filter(None, names.split(",")):
        try:
            ip_network(name.strip())
        except ValueError as error:
            raise SettingWrong(f"--proxies: {error}.") from error
