"""What a transport is: it listens, it dials, and its links move frames.

A link knows bytes and frames, nothing of a chat. The session driver (``driver``) and
the client (``client``) are written once against these protocols.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from chatcore.errors import CloseCode
from transports.codec import Codec
from transports.errors import BadUrl, LinkClosed
from transports.http_site import Site
from transports.origins import OwnPages
from transports.proxies import Proxies
from transports.tls import SECURE_SCHEMES, SYSTEM_TRUST, CertificateInUse, ClientTls
from transports.tls_handshakes import TlsHandshakes


class FrameHandler(Protocol):
    """Whom a link gives what it reads, and tells what becomes of it.

    It is called from the event loop's thread, and returns at once.
    """

    def frames_received(self, frames: Sequence[bytes]) -> None:
        """Take frames that have arrived, at least one, in order and whole."""
        ...

    def reading_ended(self, end: LinkClosed) -> None:
        """Take note that nothing more arrives; said again when the rest ends too.

        ``PeerFinished``: the peer writes no more, but may still read. Else the peer has
        gone, or sent what is no frame: then ``code`` says what was wrong, and ``close``
        can still tell the peer.
        """
        ...

    def resume_writing(self) -> None:
        """Take note that the link is not clogged any more."""
        ...


class Link(Protocol):
    """One connection that moves frames, in order and whole or not at all.

    It reads as soon as it has a handler (``start``), and reads a bounded amount ahead
    until then. It goes through three phases, of which the second may be left out:

    - *open*: frames go both ways.
    - *its input has ended*: the handler was told ``reading_ended`` with an end whose
      ``is_gone`` is false, a code or ``PeerFinished``. Nothing more arrives; what is
      written still goes out, unless the transport itself has told the peer the code.
    - *gone*: the handler was told ``LinkClosed()``, in the end of every link, also of
      one that was closed or aborted from here. Nothing arrives, what is written is
      lost, it is not clogged; ``close`` returns at once, and every method may still be
      called.

    A link whose transport has requests with headers may have another attribute,
    ``headers``; see ``LinkSettings.keeps_headers``.

    Only ``close`` waits: whoever is cancelled there calls ``abort``. Nothing is raised
    by any method. ``transports.awaited_link`` makes coroutines of a link;
    ``transports.message_link`` and ``transports.task_link`` make it of coroutines.
    """

    @property
    def peer(self) -> str:
        """Who is at the other end, for a log."""
        ...

    @property
    def address(self) -> str:
        """The network address at the other end, without its port (B3); empty where
        there is none, as within one process.
        """
        ...

    @property
    def opened_s(self) -> float:
        """When the link was opened, on the event loop's clock (B3)."""
        ...

    @property
    def active_s(self) -> float:
        """When the peer last showed life, on the event loop's clock (S5).

        A byte was read, or a clogged link took more. Bytes that merely fit into the
        system's buffers are no sign: a dead peer takes those too. A server pings a peer
        that shows none, and ends its link if that does not help; at a client nobody
        asks, since the server's pings come to it.
        """
        ...

    @property
    def taken_s(self) -> float:
        """When the peer last took what was written, on the event loop's clock; now,
        while nothing waits to be taken (B1).
        """
        ...

    def report_held(self, report: Callable[[int], None]) -> None:
        """Call ``report`` from now on with the bytes that the link keeps in memory,
        whenever that has changed by 4 KiB or more: read and not received, written and
        not taken (B1). What a library below keeps may be unknown.
        """
        ...

    @property
    def most_frame_bytes(self) -> int:
        """The largest frame that it can read, whatever it is allowed to."""
        ...

    def allow(self, frame_bytes: int) -> None:
        """Read frames of up to this size from now on (B1)."""
        ...

    def hold_reading(self, *, on: bool) -> None:
        """Read nothing of the peer while on, as far as the link can (B1). What comes
        all the same is given to the handler.
        """
        ...

    def start(self, handler: FrameHandler) -> None:
        """Give all that is read to ``handler`` from now on: once, before any write."""
        ...

    @property
    def is_clogged(self) -> bool:
        """Whether the peer does not take what was written. Whoever writes waits until
        ``FrameHandler.resume_writing``, or the link's end.
        """
        ...

    def write(self, frames: Sequence[bytes]) -> None:
        """Write frames; on a link that is gone they are lost."""
        ...

    async def close(self, code: CloseCode, text: str) -> None:
        """End the link once what was written has arrived, or after
        ``LinkSettings.close_s``; tell the peer the code where there is room for it
        beside the frames (the last frame has told it, too).
        """
        ...

    def abort(self) -> None:
        """End the link at once; what was written may be lost."""
        ...


ServeLink: TypeAlias = Callable[[Link, Codec], Awaitable[None]]
"""What a listener does with each link that has shaken hands, until it ends: the call
starts the link. Who awaits the answer is woken at the end of all work for the link, and
ends the link by being cancelled; nobody has to await it.
"""

Spawn: TypeAlias = Callable[[Coroutine[object, None, None]], None]
"""Runs a coroutine of the listener's beside it. A fault in one is logged, and ends no
other. None is cancelled: a server that stops waits until each has returned, as it must
once the listener has been told to stop and the link that it is for has ended.
"""


class Admission(Protocol):
    """Says whether there may be one more connection (B3)."""

    def enter(self, address: str) -> bool:
        """Count one more from this address; False, without counting, if it may not."""
        ...

    def leave(self, address: str) -> None:
        """Count one less that was let in."""
        ...

    def enter_call(self, address: str) -> bool:
        """The same for a single call, whose size the transport bounds by itself."""
        ...

    def leave_call(self, address: str) -> None:
        """Count one call less that was let in."""
        ...


class NoLimit:
    """Lets everybody in; see ``Admission``."""

    def enter(self, address: str) -> bool:  # noqa: ARG002  # they are all welcome
        """See ``Admission``."""
        return True

    def leave(self, address: str) -> None:
        """See ``Admission``."""

    def enter_call(self, address: str) -> bool:  # noqa: ARG002  # as above
        """See ``Admission``."""
        return True

    def leave_call(self, address: str) -> None:
        """See ``Admission``."""


ANY_FRAME_BYTES: Final = 2**32 - 1
"""For ``Link.most_frame_bytes`` where there is no reason for less: a welcome could not
tell of larger frames, nor TCP's four bytes of length.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """What a listener needs to know of the limits, in its own terms.

    Attributes:
        frame_bytes: the largest frame that a new link reads.
        later_frame_bytes: the largest that ``Link.allow`` will allow; as much as
            ``frame_bytes`` where nothing is said.
        command_bytes: what a transport's frames have to hold at the least, where it
            would rather have smaller ones; as much as ``frame_bytes`` likewise.
        unsent_bytes: from so much on that a link has written and its peer not taken,
            the link itself writes nothing more of its own accord, and reads nothing.
        handshake_s: how long shaking hands may take, at either end.
        close_s: how long ``Link.close`` may wait for the peer.
        keepalive_s: how often a transport pings by itself, where its protocol has
            pings; one without them leaves it to the chat, which pings later than that.
            At a server it keeps ``Link.active_s`` of a silent peer moving; at either
            end it keeps open what is between them.
        admission: asked by a listener for each connection, before anything is read.
        handshakes: which of TLS may be under way, shared by a server's listeners; each
            has its own where there are none, as many as connections.
        connections: how many a listener has at a time that accepts on its own (B3).
        loopback_counts: whether loopback is an address like others, in what a listener
            limits itself.
        certificate: of a listener whose URL stands for TLS.
        proxies: who is believed about whom a connection comes from.
        site: what a listener of HTTP answers beside the chat; nothing without one.
        own_pages: where the server's listeners serve it.
        client_tls: whom one who dials such a URL trusts, and what is shown to it.
        keeps_headers: whether a link keeps the headers of the request that opened it,
            as its attribute ``headers`` (``transports.request_headers``), since the
            application is asked who its users are.
    """

    frame_bytes: int
    later_frame_bytes: int = 0
    command_bytes: int = 0
    unsent_bytes: int = 64 * 1024
    handshakes: TlsHandshakes | None = None
    connections: int = 20_000
    loopback_counts: bool = False
    handshake_s: float = 10.0
    close_s: float = 1.0
    keepalive_s: float = 15.0
    admission: Admission = field(default_factory=NoLimit)
    certificate: CertificateInUse | None = None
    proxies: Proxies = field(default_factory=Proxies)
    site: Site | None = None
    own_pages: OwnPages = field(default_factory=OwnPages)
    client_tls: ClientTls = SYSTEM_TRUST
    keeps_headers: bool = False

    @property
    def largest_frame_bytes(self) -> int:
        """The largest frame that a link will ever read."""
        return max(self.frame_bytes, self.later_frame_bytes)


class Listener(Protocol):
    """A transport that accepts."""

    @property
    def url(self) -> str:
        """Where clients connect; a port 0 is replaced by the real one."""
        ...

    async def stop_accepting(self) -> None:
        """Take no new link. Those that are open stay, and what they need of the
        listener, such as later requests, is served until ``wait_finished``.
        """
        ...

    async def wait_finished(self) -> None:
        """Let go of all that the listener has, once nothing needs it; called after its
        last link has ended.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL taken apart: ``scheme://host:port/path?option=value``."""

    text: str
    scheme: str
    host: str
    port: int
    path: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_secure(self) -> bool:
        """Whether its scheme stands for TLS."""
        return self.scheme in SECURE_SCHEMES.values()


def authority(host: str, port: int) -> str:
    """``host:port`` as a URL has it: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Transport(Protocol):
    """What a URL scheme stands for."""

    @property
    def codecs(self) -> Sequence[str]:
        """The names of the codecs that its frames can have, the best for it first."""
        ...

    async def listen(
        self,
        address: Address,
        serve_link: ServeLink,
        settings: LinkSettings,
        spawn: Spawn,
    ) -> Listener:
        """Accept links; may be cancelled, and then does not.

        For each connection it asks ``settings.admission``, shakes hands, and calls
        ``serve_link``; ``transports.link_acceptor`` does those.

        Raises:
            CannotListen: the address cannot be had.
            OSError: likewise; whoever calls says what the system says.
        """
        ...

    async def dial(
        self, address: Address, codec: Codec, settings: LinkSettings
    ) -> Link:
        """Connect and shake hands; may be cancelled, and leaves no connection then.

        Raises:
            CannotConnect: nobody is there, or somebody else.
            LinkClosed: the server refused; its code, and its text.
            OSError: nobody is there; whoever calls says what the system says.
        """
        ...


def parse_address(url: str) -> Address:
    """Take a URL apart.

    Raises:
        BadUrl: it has no scheme, or a port that is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError as reason:
        raise BadUrl(url, str(reason)) from reason
    if not parts.scheme:
        raise BadUrl(url, "it has no scheme, such as tcp://")
    return Address(
        text=url,
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=port,
        path=parts.path,
        options=dict(parse_qsl(parts.query)),
    )
