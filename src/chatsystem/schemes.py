"""What a URL's scheme stands for: ours, what a program registers, what is installed."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class SchemeRegistry(Generic[T]):
    """Finds what serves a scheme, and imports it when it is first asked for.

    Args:
        group: the group of entry points by which installed packages join; the name of
            one is the scheme.
        built_in: by scheme a module, or an attribute of one as ``module:attribute``.

    Attributes:
        registered: what this process has registered; it comes before all else.
    """

    def __init__(self, group: str, built_in: Mapping[str, str]) -> None:
        self.group = group
        self.built_in = built_in
        self.registered: dict[str, T] = {}

    def register(self, scheme: str, found: T) -> None:
        """Let a scheme stand for something in this process; the last one holds."""
        self.registered[scheme] = found

    def find(self, scheme: str) -> T | None:
        """What a scheme stands for; None where nobody serves it."""
        if scheme in self.registered:
            return self.registered[scheme]
        if scheme in self.built_in:
            module, _, attribute = self.built_in[scheme].partition(":")
            found = import_module(module)
            return cast("T", getattr(found, attribute) if attribute else found)
        for entry_point in entry_points(group=self.group, name=scheme):
            return cast("T", entry_point.load())
        return None

    def schemes(self) -> list[str]:
        """Every scheme that can be used now, sorted."""
        installed = entry_points(group=self.group).names
        return sorted({*self.built_in, *self.registered, *installed})
