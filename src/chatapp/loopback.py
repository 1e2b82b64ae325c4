"""Whether a server can be reached from other machines."""

from ipaddress import ip_address

from transports.base import parse_address


def is_on_loopback(url: str) -> bool:
    """Whether a listener of this URL can be reached from its own machine only.

    A name other than ``localhost`` may stand for any address.
    """
    address = parse_address(url)
    if address.scheme == "loopback" or address.host == "localhost":
        return True
    try:
        return ip_address(address.host).is_loopback
    except ValueError:
        return False
