"""Where a chat keeps what it must not lose: stores, opened by URL.

``memory:`` forgets at the end, ``sqlite:///relative.db`` and ``sqlite:////absolute.db``
do not. Others join by ``register_store``, or without a line of code by an entry point
of the group ``chatcore.stores``, whose name is the scheme and whose value is a factory.
An engine is imported when its first store is opened.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from chatcore.store import Store
from chatstores.errors import BadStoreUrl, UnknownStore
from chatsystem.schemes import BadPlugin, SchemeRegistry

Opening: TypeAlias = AbstractAsyncContextManager[Store]
Factory: TypeAlias = Callable[[str], Opening]
"""Takes the whole URL, and answers a context manager that yields the open store."""

STORES: Final = SchemeRegistry[Factory](
    "chatcore.stores",
    {
        "memory": "chatstores.memory:open_memory",
        "sqlite": "chatstores.sqlite:open_sqlite_url",
    },
)
"""The process's own table: set up at start, then only read."""

__all__ = ["STORES", "Factory", "Opening", "open_store", "register_store"]


def open_store(url: str) -> Opening:
    """The store at ``url``, open for as long as the ``async with`` lasts::

        async with open_store("sqlite:///chat.db") as store:
            chat = Chat(store)

    Leaving it commits the acknowledgements that wait.
    A ``chatstores.errors.OpeningError`` is raised here when no store has the scheme,
    otherwise on entering.
    """
    try:
        factory = STORES.find(_scheme(url))
    except BadPlugin as error:
        raise BadStoreUrl(url=url, reason=str(error).rstrip(".")) from error
    if factory is None:
        known = ", ".join(f"{it}:" for it in STORES.schemes())
        raise UnknownStore(url=url, known=known)
    return factory(url)


def register_store(scheme: str, factory: Factory) -> None:
    """Let ``open_store`` open URLs of ``scheme`` by ``factory``, for this process.

    Call it before opening anything; a later one for the same scheme holds.
    """
    STORES.register(scheme, factory)


def _scheme(url: str) -> str:
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise BadStoreUrl(url=url, reason=error.args[0]) from error
    if not scheme:
        raise BadStoreUrl(url=url, reason="it has no scheme, such as sqlite:")
    return scheme
