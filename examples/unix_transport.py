"""A transport of one's own: Unix domain sockets, ``unix:///run/chat.sock``.

A transport listens and dials; its links move frames. Here a connection is a stream of
bytes, so the link and the handshake of TCP serve as they are. The conformance suite
runs on it; docs/adding-a-transport.md tells the rest.

    python examples/unix_transport.py
"""

import asyncio
import errno
import socket
import tempfile
from pathlib import Path

from chatcore import (
    Address,
    BadUrl,
    CannotListen,
    Chat,
    Codec,
    LinkAcceptor,
    LinkSettings,
    ServeLink,
    SocketListener,
    Spawn,
    TcpLink,
    connect,
    greet_server,
    open_store,
    register_transport,
    serve,
    welcome_client,
)


class UnixListener(SocketListener):
    """See ``chatcore.Listener``."""

    path: Path

    async def stop_accepting(self) -> None:
        """Accept no more, and leave no socket behind."""
        await super().stop_accepting()
        self.path.unlink(missing_ok=True)


class UnixTransport:
    """See ``chatcore.Transport``; whoever calls it tells what an ``OSError`` says."""

    codecs = ("protobuf", "json", "msgpack")

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> UnixListener:
        """Accept on a socket in the file system; one that is in use is refused."""
        acceptor = LinkAcceptor(serve_link, settings, spawn)

        class Accepted(TcpLink):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                acceptor.accept(self, welcome_client(self, settings))

        path = path_of(address)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(0)
            if probe.connect_ex(str(path)) in {0, errno.EAGAIN}:
                raise CannotListen(address.text, "somebody listens there")
        # asyncio removes a socket that a process has left that was killed.
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: Accepted(close_s=settings.close_s), path
        )
        listener = UnixListener(f"{address.scheme}://{path}", server, acceptor)
        listener.path = path
        return listener

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> TcpLink:
        """Connect to such a socket."""
        async with asyncio.timeout(settings.handshake_s):
            _, link = await asyncio.get_running_loop().create_unix_connection(
                lambda: TcpLink(close_s=settings.close_s), str(path_of(address))
            )
            try:
                await greet_server(link, codec, settings)
            except BaseException:
                link.abort()
                raise
        return link


def path_of(address: Address) -> Path:
    if not address.path:
        raise BadUrl(address.text, "it names no path, as unix:///run/chat.sock does")
    return Path(address.path)


async def main() -> None:
    """Send a note over a socket in a temporary folder."""
    register_transport(SCHEME, TRANSPORT)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_store("memory:") as store,
            serve(Chat(store), f"unix://{folder}/chat.sock") as urls,
            connect(urls[0]) as ada,
        ):
            await ada.login("ada", "correct horse", create=True)
            print("stored at position", (await ada.send("ada", "a note")).position)


SCHEME = "unix"
LISTENS = "unix://{folder}/chat.sock"
TELLS_CODE = False  # a stream has no place for it behind its last frame
TRANSPORT = UnixTransport()

if __name__ == "__main__":
    asyncio.run(main())
