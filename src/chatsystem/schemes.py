"""What a URL's scheme stands for: ours, what a program registers, what is installed."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from chatcore.errors import ChatError

T = TypeVar("T")


class BadPlugin(ChatError):
    """What was registered, or installed, to serve a scheme cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The plug-in {name} cannot be used: {reason}.")


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
        self._installed: dict[str, T] = {}

    def register(self, scheme: str, found: T) -> None:
        """Let a scheme stand for something in this process; the last one holds."""
        self.registered[scheme] = found

    def find(self, scheme: str) -> T | None:
        """What a scheme stands for; None where nobody serves it.

        What is installed is looked for only where it is needed, and once.

        Raises:
            BadPlugin: an installed package names it, and cannot be imported.
        """
        if scheme in self.registered:
            return self.registered[scheme]
        if scheme in self.built_in:
            module, _, attribute = self.built_in[scheme].partition(":")
            found = import_module(module)
            return cast("T", getattr(found, attribute) if attribute else found)
        if scheme not in self._installed:
            for entry_point in entry_points(group=self.group, name=scheme):
                self._installed[scheme] = cast("T", _load(entry_point))
                break
        return self._installed.get(scheme)

    def schemes(self) -> list[str]:
        """Every scheme that can be used now, sorted.

        Raises:
            BadPlugin: see ``check_installed``.
        """
        self.check_installed()
        installed = entry_points(group=self.group).names
        return sorted({*self.built_in, *self.registered, *installed})

    def is_known(self, scheme: str) -> bool:
        """Whether a scheme can be used, without a look at what is installed where that
        is not needed.
        """
        if scheme in self.registered or scheme in self.built_in:
            return True
        return scheme in entry_points(group=self.group).names

    def check_installed(self) -> None:
        """Look whether an installed package would hide what is built in.

        Raises:
            BadPlugin: one would. It is never used, and whoever has installed it may
                believe that it is.
        """
        for entry_point in entry_points(group=self.group):
            if entry_point.name in self.built_in:
                reason = f"{entry_point.name}: is chatcore's own"
                raise BadPlugin(name_of(entry_point), reason)


def name_of(entry_point: EntryPoint) -> str:
    """How a person finds an entry point: its value, and the package that has it."""
    package = entry_point.dist
    where = "" if package is None else f" of {package.name} {package.version}"
    return f"{entry_point.value}{where}"


def _load(entry_point: EntryPoint) -> object:
    try:
        return entry_point.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(".")
        raise BadPlugin(name_of(entry_point), reason) from error
