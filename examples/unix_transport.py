"""A transport of one's own: Unix domain sockets, ``unix:///run/chat.sock``.

A transport listens and dials; its links move frames. Here a connection is a stream of
bytes, so the link and the handshake of TCP serve as they are. The conformance suite
runs on it; docs/adding-a-transport.md tells the rest.

    python examples/unix_transport.py
"""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chatcore import (
    Address,
    BadUrl,
    CannotConnect,
    CannotListen,
    Chat,
    Codec,
    LinkSettings,
    ServeLink,
    Spawn,
    TcpLink,
    connect,
    greet_server,
    open_store,
    register_transport,
    serve,
    welcome_client,
)


@dataclass
class UnixListener:
    """See ``chatcore.Listener``."""

    url: str
    server: asyncio.Server
    path: Path

    async def stop_accepting(self) -> None:
        """Accept no more, and leave no socket behind."""
        self.server.close()
        self.path.unlink(missing_ok=True)

    async def wait_finished(self) -> None:
        """There is nothing else to let go of."""


class UnixTransport:
    """See ``chatcore.Transport``."""

    codecs = ("protobuf", "json", "msgpack")

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> UnixListener:
        """Accept on a socket in the file system; a path that is taken is refused."""

        async def welcome(link: TcpLink) -> None:
            codec = await welcome_client(link, settings)
            if codec is not None:
                await serve_link(link, codec)

        class Accepted(TcpLink):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                spawn(welcome(self))

        path = path_of(address)
        if path.exists():
            raise CannotListen(address.text, "there is a file of this name")
        try:
            server = await asyncio.get_running_loop().create_unix_server(
                lambda: Accepted(close_s=settings.close_s), path
            )
        except OSError as error:
            raise CannotListen(address.text, str(error)) from error
        return UnixListener(f"{address.scheme}://{path}", server, path)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> TcpLink:
        """Connect to such a socket."""
        try:
            async with asyncio.timeout(settings.handshake_s):
                _, link = await asyncio.get_running_loop().create_unix_connection(
                    lambda: TcpLink(close_s=settings.close_s), str(path_of(address))
                )
                await greet_server(link, codec, settings)
        except OSError as error:
            raise CannotConnect(address.text, str(error)) from error
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
TRANSPORT = UnixTransport()

if __name__ == "__main__":
    asyncio.run(main())
