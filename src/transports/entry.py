"""A connection's place among those that are counted (B3)."""

from transports.base import Admission


class Entry:
    """Taken when a connection is made, by whoever hears of it first.

    Attributes:
        is_asked: whether it was asked for.
        is_open: whether there was room.
    """

    __slots__ = ("_address", "_admission", "is_asked", "is_open")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._address = ""
        self.is_asked = False
        self.is_open = False

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
