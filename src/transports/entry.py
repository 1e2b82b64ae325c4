"""A connection's place among those that are counted (B3)."""

from typing import Final

from transports.base import Admission
from transports.proxies import Proxies

_NONE: Final = Proxies()


class Entry:
    """Taken when a connection is made, by whoever hears of it first.

    Args:
        admission: asked whether there is room.
        proxies: whose connections are nobody's until it is known whose they are: they
            count in all, and not for an address.

    Attributes:
        is_asked: whether it was asked for.
        is_open: whether there was room.
    """

    __slots__ = ("_address", "_admission", "_proxies", "is_asked", "is_open")

    def __init__(self, admission: Admission, proxies: Proxies = _NONE) -> None:
        self._admission = admission
        self._proxies = proxies
        self._address = ""
        self.is_asked = False
        self.is_open = False

    @property
    def address(self) -> str:
        """Where it comes from, as far as that is known; empty until then."""
        return self._address

    def arrive(self, peer_name: tuple[object, ...] | None) -> None:
        """Take a place, unless that was done, for what a transport calls its peer."""
        if not self.is_asked:
            address = str((peer_name or ("",))[0])
            self.take("" if self._proxies.trusts(address) else address)

    def take(self, address: str) -> bool:
        """Take a place as one of this address, instead of one that was taken before;
        whether there is room.
        """
        self.leave()
        self.is_asked = True
        self._address = address
        self.is_open = self._admission.enter(address)
        return self.is_open

    def leave(self) -> None:
        """Give the place back, if there is one."""
        if self.is_open:
            self.is_open = False
            self._admission.leave(self._address)
