"""The session driver on a link that takes its time to write."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from chatcore import Chat
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports import register_transport, serve, tcp
from transports.base import Address, Link, LinkSettings, Listener, ServeLink, Spawn
from transports.codec import Codec
from transports.wrapped_link import WrappedLink

_TURNS = 50


class SlowLink(WrappedLink):
    """Waits for many turns of the event loop before it writes a page of a list."""

    is_late = False

    def write(self, frames: Sequence[bytes]) -> None:
        if any(b"listed" in frame for frame in frames):
            self.is_late = True
            self._wait(_TURNS, frames)
        else:
            self.link.write(frames)

    @property
    def is_clogged(self) -> bool:
        return self.is_late or self.link.is_clogged

    def _wait(self, turns: int, frames: Sequence[bytes]) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._wait, turns - 1, frames)
            return
        self.is_late = False
        self.link.write(frames)
        self.handler.resume_writing()


class SlowTcp:
    """TCP, whose servers write through a ``SlowLink``."""

    codecs = tcp.codecs

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        async def serve_slowly(link: Link, codec: Codec) -> None:
            await serve_link(SlowLink(link), codec)

        return await tcp.listen(address, serve_slowly, settings, spawn)

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        return await tcp.dial(address, codec, settings)


@pytest.mark.rule("W6")
async def test_a_peer_that_has_finished_is_sent_what_is_being_written() -> None:
    register_transport("slow", SlowTcp())
    login = b'{"username": "ada", "password": "correct horse", "create": true}'
    environment = system_environment(INSECURE_FAST_HASH)
    chat = Chat(MemoryStore())
    async with serve(chat, "slow://127.0.0.1:0", environment=environment) as urls:
        port = int(urls[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"CHAT/1 json\n"
            b'{"commands": [{"id": 1, "login": %s}]}\n'
            b'{"commands": [{"id": 2, "list": {}}]}\n' % login
        )
        writer.write_eof()

        _, *lines = (await reader.read()).splitlines()
        writer.close()

    events = [it for line in lines for it in msgspec.json.decode(line)["events"]]
    assert [it["id"] for it in events if "id" in it] == [1, 2, 2]
