"""Telling what a link holds, whenever that has changed by enough to be told (B1)."""

from collections.abc import Callable
from typing import Final

_REPORTED_BYTES: Final = 4096


class HeldBytes:
    """What a link holds now.

    Attributes:
        told_bytes: what was told last.
    """

    __slots__ = ("_report", "told_bytes")

    def __init__(self) -> None:
        self._report: Callable[[int], None] | None = None
        self.told_bytes = 0

    def tell(self, report: Callable[[int], None]) -> None:
        """Tell this one from now on; see ``transports.base.Link.report_held``."""
        self._report = report

    def note(self, held_bytes: int) -> None:
        """Take note, and tell it if it differs by so much from what was told."""
        if self._report and abs(held_bytes - self.told_bytes) >= _REPORTED_BYTES:
            self.told_bytes = held_bytes
            self._report(held_bytes)
