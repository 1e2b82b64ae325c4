"""Which calls belong together: those that name the same session (W4).

The first call of a session resumes it on a link inside the server, the others join,
and with the last one the link ends: then the session is detached, and lives its grace
time. A call without a session has a link of its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatcore.errors import CloseCode
from transports.base import LinkSettings, ServeLink, Spawn
from transports.codec import codec
from transports.errors import LinkClosed
from transports.grpc.calls import Calls
from transports.grpc.peers import Caller, bearer_of
from transports.memory_pipe import MemoryPipe
from transports.request_headers import kept_headers


class SessionCalls:
    """The calls that run, by the token of their session."""

    def __init__(
        self, serve_link: ServeLink, spawn: Spawn, settings: LinkSettings
    ) -> None:
        self._serve_link = serve_link
        self._spawn = spawn
        self._settings = settings
        self._by_token: dict[bytes, Calls] = {}
        self._accepts = True

    def stop_accepting(self) -> None:
        """Open no new link; further calls of those that are open may join them."""
        self._accepts = False

    @asynccontextmanager
    async def use(self, token: bytes, caller: Caller) -> AsyncIterator[Calls]:
        """What a call asks on: its session's link, or with no token one of its own.

        A link's peer, address and metadata are those of the call that opened it, and so
        is the proof that it is resumed with.

        Raises:
            CommandRefused: the token resumes nothing.
            LinkClosed: the server is shutting down.
        """
        calls = self._by_token.get(token)
        if calls is None or calls.has_ended:
            calls = self._open(token, caller)
            if token:
                self._by_token[token] = calls
        calls.users += 1  # before anything is awaited, so that it is not finished
        try:
            await calls.opened()
            yield calls
        finally:
            calls.users -= 1
            if not calls.users:
                self._forget(calls)
                calls.finish()

    def rename(self, calls: Calls, token: bytes) -> None:
        """Let further calls join these by a new token, and not by the old (A6)."""
        self._forget(calls)
        calls.token = token
        self._by_token[token] = calls

    def _forget(self, calls: Calls) -> None:
        if self._by_token.get(calls.token) is calls:
            del self._by_token[calls.token]

    def _open(self, token: bytes, caller: Caller) -> Calls:
        if not self._accepts:
            raise LinkClosed(CloseCode.SHUTTING_DOWN)
        settings = self._settings
        ours, theirs = MemoryPipe.make(caller.peer, settings, address=caller.address)
        ours.headers = kept_headers(settings, caller.metadata)
        calls = Calls(theirs, self._spawn, settings.largest_frame_bytes, token)
        self._spawn(self._serve(ours))
        self._spawn(calls.read())
        self._spawn(calls.open(bearer_of(caller.metadata)))
        return calls

    async def _serve(self, link: MemoryPipe) -> None:
        await self._serve_link(link, codec("protobuf"))
