"""A store in dictionaries: quick, and empty again when the process ends.

It keeps every guarantee of ``chatcore.store.Store`` but durability, so that it is both
a product and the double of the others in tests.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatstores.errors import BadStoreUrl
from chatstores.memory.store import MemoryStore

__all__ = ["MemoryStore", "open_memory"]


@asynccontextmanager
async def open_memory(url: str = "memory:") -> AsyncIterator[MemoryStore]:
    """A new and empty store; each ``memory:`` is another one.

    As in other stores, ``committed`` of an acknowledgement is called from the event
    loop, not from within ``acknowledge``.
    """
    if url != "memory:":
        raise BadStoreUrl(url=url, reason="memory: has nothing after the colon")
    yield MemoryStore(call_soon=asyncio.get_running_loop().call_soon)
