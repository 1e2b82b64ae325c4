"""Where a chat keeps what it must not lose: stores, opened by URL.

``memory:`` forgets at the end, ``sqlite:///relative.db`` and ``sqlite:////absolute.db``
do not. Others join by ``register``, or without a line of code by an entry point of the
group ``chatcore.stores``, whose name is the scheme and whose value is a factory. An
engine is imported when its first store is opened.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import entry_points
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from chatcore.store import Store
from chatstores.errors import BadStoreUrl, UnknownStore

Opening: TypeAlias = AbstractAsyncContextManager[Store]
Factory: TypeAlias = Callable[[str], Opening]
"""Takes the whole URL, and answers a context manager that yields the open store."""

ENTRY_POINTS: Final = "chatcore.stores"

__all__ = ["ENTRY_POINTS", "Factory", "Opening", "open_store", "register"]


def open_store(url: str) -> Opening:
    """The store at ``url``, open for as long as the ``async with`` lasts.

    Leaving it commits the acknowledgements that wait.
    A ``chatstores.errors.OpeningError``
    is raised here when no store has the scheme, otherwise on entering.
    """
    scheme = _scheme(url)
    factory = _FACTORIES.get(scheme) or _third_party(scheme)
    if factory is None:
        known = {*_FACTORIES, *entry_points(group=ENTRY_POINTS).names}
        raise UnknownStore(url=url, known=", ".join(f"{it}:" for it in sorted(known)))
    return factory(url)


def register(scheme: str, factory: Factory) -> None:
    """Let ``open_store`` open URLs of ``scheme`` by ``factory``, for this process.

    Call it before opening anything; a later one for the same scheme holds.
    """
    _FACTORIES[scheme] = factory


def _scheme(url: str) -> str:
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise BadStoreUrl(url=url, reason=error.args[0]) from error
    if not scheme:
        raise BadStoreUrl(url=url, reason="it has no scheme, such as sqlite:")
    return scheme


def _third_party(scheme: str) -> Factory | None:
    for point in entry_points(group=ENTRY_POINTS, name=scheme):
        factory: Factory = point.load()
        return factory
    return None


def _memory(url: str) -> Opening:
    from chatstores.memory import open_memory  # noqa: PLC0415 (imported when used)

    return open_memory(url)


def _sqlite(url: str) -> Opening:
    from chatstores.sqlite import open_sqlite_url  # noqa: PLC0415 (needs apsw)

    return open_sqlite_url(url)


_FACTORIES: Final[dict[str, Factory]] = {"memory": _memory, "sqlite": _sqlite}
"""The one registry that ``register`` writes: set up at start, then only read."""
