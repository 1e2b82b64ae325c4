"""A transport with links of its own: JSON over TCP, a frame a line, made for netcat.

    $ chatcore serve --plugin json_lines_transport.py --listen lines://127.0.0.1:7410
    $ nc 127.0.0.1 7410
    LINES/1
    LINES/1 ok
    {"events":[{"welcome":{…}}]}
    {"commands":[{"id":1,"login":{"username":"ada","password":"…","create":true}}]}

The last line says why: ``LINES/1 error 4006 There are too many connections.``, which
may come instead of ``LINES/1 ok``. docs/adding-a-transport.md goes through this file.
"""

import asyncio
from collections.abc import Sequence

import chatcore
from chatcore import Address, CloseCode, Codec, LinkClosed, LinkSettings

GREETING, WELCOME, ERROR = b"LINES/1", b"LINES/1 ok", b"LINES/1 error "
READ_BYTES = 16 * 1024
WRITTEN_BYTES = 64 * 1024


class LinesLink(chatcore.MessageLink):
    """See ``chatcore.Link``, which ``MessageLink`` makes of what is here."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        settings: LinkSettings,
    ) -> None:
        host, port, *_ = writer.get_extra_info("peername") or ("?", 0)
        super().__init__(settings, peer=chatcore.authority(host, port), address=host)
        self.reader, self.writer = reader, writer
        self.framing = chatcore.LineFraming(settings.frame_bytes)
        # So that ``drain`` returns when all is out, and nothing waits in two places.
        writer.transport.set_write_buffer_limits(high=0)
        self.read_in(self.read())

    def allow(self, frame_bytes: int) -> None:
        """Read lines of this size too: somebody has logged in."""
        super().allow(frame_bytes)
        self.framing.allow(frame_bytes)

    async def read(self) -> None:
        """Read to the end; ``feed`` refuses a line as soon as it is over the limit."""
        while received := await self.reader.read(READ_BYTES):
            for line in self.framing.feed(received):
                if line.startswith(ERROR):
                    raise end_in(line)
                self.receive(line)
            self.note_partial(self.framing.held_bytes)
            await self.room()

    async def send_messages(self, messages: Sequence[bytes]) -> None:
        """Write lines, as fast as the peer takes them."""
        lines = self.framing.join(messages)
        for start in range(0, len(lines), WRITTEN_BYTES):
            self.writer.write(lines[start : start + WRITTEN_BYTES])
            await self.writer.drain()
            self.took()

    async def finish(self, code: CloseCode, text: str) -> None:
        """Say why; a socket that is closed with unread bytes could lose that."""
        self.writer.write(ERROR + f"{int(code)} {text}\n".encode())
        await self.writer.drain()
        self.writer.write_eof()
        while await self.reader.read(READ_BYTES):
            pass

    def cut(self) -> None:
        """End the connection."""
        self.writer.transport.abort()

    async def welcome(self) -> Codec:
        """Shake hands as the server."""
        if await self.first_message() != GREETING:
            raise LinkClosed(CloseCode.WRONG_VERSION, "Begin with the line LINES/1.")
        self.write([WELCOME])
        return chatcore.codec("json")


def end_in(line: bytes) -> LinkClosed:
    """What a line such as ``LINES/1 error 4006 There are too many …`` says."""
    number, _, text = line.removeprefix(ERROR).decode(errors="replace").partition(" ")
    codes = {str(int(it)): it for it in CloseCode}
    return LinkClosed(codes.get(number, CloseCode.WRONG_VERSION), text)


class LinesTransport:
    """See ``chatcore.Transport``; whoever calls it tells what an ``OSError`` says."""

    codecs = ("json",)

    async def listen(
        self,
        address: Address,
        serve_link: chatcore.ServeLink,
        settings: LinkSettings,
        spawn: chatcore.Spawn,
    ) -> chatcore.Listener:
        """Accept on a port."""
        acceptor = chatcore.LinkAcceptor(serve_link, settings, spawn)

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            link = LinesLink(reader, writer, settings)
            acceptor.accept(link, link.welcome())

        host, port = address.host or None, address.port
        server = await asyncio.start_server(accept, host, port, limit=READ_BYTES)
        at = chatcore.authority(*server.sockets[0].getsockname()[:2])
        return chatcore.SocketListener(f"{address.scheme}://{at}", server, acceptor)

    async def dial(
        self,
        address: Address,
        codec: Codec,  # noqa: ARG002  # there is one only
        settings: LinkSettings,
    ) -> LinesLink:
        """Connect; raises ``LinkClosed`` with what a server says that refuses."""
        host, port = address.host, address.port
        async with asyncio.timeout(settings.handshake_s):
            streams = await asyncio.open_connection(host, port, limit=READ_BYTES)
            link = LinesLink(*streams, settings)
            try:
                link.write([GREETING])
                answer = await link.first_message()
            except BaseException:
                link.abort()
                raise
        if answer != WELCOME:
            link.abort()
            raise chatcore.CannotConnect(address.text, "it speaks something else")
        return link


SCHEME = "lines"
LISTENS = "lines://127.0.0.1:0"
TRANSPORT = LinesTransport()
