"""Listening inside the process, under a name."""

from typing import Final
from weakref import WeakValueDictionary

from chatcore.errors import CloseCode
from transports.base import Address, LinkSettings, ServeLink, Spawn
from transports.codec import Codec
from transports.connection_names import name_connection
from transports.errors import CannotConnect, CannotListen, LinkClosed
from transports.memory_pipe import MemoryPipe


class LoopbackListener:
    """See ``transports.base.Listener``."""

    def __init__(
        self, url: str, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
    ) -> None:
        self.url = url
        self._serve_link = serve_link
        self._settings = settings
        self._spawn = spawn
        self._accepts = True

    async def stop_accepting(self) -> None:
        """See ``transports.base.Listener``."""
        self._accepts = False
        _LISTENERS.pop(self.url, None)

    async def wait_finished(self) -> None:
        """See ``transports.base.Listener``: there is nothing else."""

    def accept(self, codec: Codec) -> MemoryPipe:
        """Make a link and return the client's end of it."""
        if not self._accepts:
            raise CannotConnect(self.url, "it has stopped to listen")
        if not self._settings.admission.enter(""):
            raise LinkClosed(CloseCode.TOO_MANY_CONNECTIONS)
        ours, theirs = MemoryPipe.make("loopback", self._settings)
        self._spawn(self._serve(ours, codec))
        return theirs

    async def _serve(self, link: MemoryPipe, codec: Codec) -> None:
        name_connection()  # not that of the task which dials
        try:
            await self._serve_link(link, codec)
        finally:
            self._settings.admission.leave("")


# What ports are to a machine: the names of one process's listeners, while they live.
_LISTENERS: Final[WeakValueDictionary[str, LoopbackListener]] = WeakValueDictionary()


async def listen(
    address: Address, serve_link: ServeLink, settings: LinkSettings, spawn: Spawn
) -> LoopbackListener:
    """See ``transports.base.Transport``; no name stands for any free one."""
    number = 1
    url = address.text if address.path or address.host else f"loopback:{number}"
    while url in _LISTENERS:
        if url == address.text:
            raise CannotListen(url, "the name is in use")
        number += 1
        url = f"loopback:{number}"
    listener = LoopbackListener(url, serve_link, settings, spawn)
    _LISTENERS[url] = listener
    return listener


def find_listener(url: str) -> LoopbackListener:
    """The listener of a URL in this process."""
    listener = _LISTENERS.get(url)
    if listener is None:
        raise CannotConnect(url, "nobody listens there in this process")
    return listener
