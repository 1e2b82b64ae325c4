"""A session of XMPP on a plain stream: RFC 6120, with acknowledgements by XEP-0198.

The account is made over the same stream (XEP-0077), as ``create=True`` does in ours. A
batch of messages is followed by one ``<r/>``; the server's ``<a h='…'/>`` counts what
it has handled, which is a receipt for each. Deliveries are acknowledged the same way,
when the server asks: both servers ask again with the first stanza after an answer. A
frame is a stanza or an element of XEP-0198.

What comes is cut by regular expressions over bytes: cheap, and enough for the stanzas
that these servers write. It is no XML parser.
"""

import asyncio
import base64
import html
import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from chatbench.peers.link import PeerLink
from chatbench.wire.base import OnArrival, OnFault

DOMAIN: Final = "localhost"
_MANAGEMENT: Final = "urn:xmpp:sm:3"
_STREAM: Final = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/"
    f"streams' to='{DOMAIN}' version='1.0'>"
)
_REQUEST: Final = f"<r xmlns='{_MANAGEMENT}'/>"
_MOST_UNCUT_BYTES: Final = 1 << 20

_ELEMENT: Final = re.compile(
    rb"\s*<(message|presence|iq|a|r)\b[^>]*?(?:/>|>.*?</\1>)", re.DOTALL
)
_BODY: Final = re.compile(rb"<body>([^<]*)</body>")
_HANDLED: Final = re.compile(rb"\bh=['\"](\d+)['\"]")
_IS_ERROR: Final = re.compile(rb"\s*<[^>]*\btype=['\"]error['\"]")
_REFUSAL: Final = re.compile(rb"\s*<(?:stream:error|failure|failed)\b.*", re.DOTALL)


def opening(username: str, password: str) -> list[tuple[re.Pattern[bytes], str]]:
    """How a session is opened: what must have come, and what is said then."""
    plain = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
    register = (
        "<iq type='set' id='register'><query xmlns='jabber:iq:register'>"
        f"<username>{username}</username><password>{password}</password></query></iq>"
    )
    authenticate = (
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
        f"{plain}</auth>"
    )
    bind = (
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<resource>bench</resource></bind></iq>"
    )
    enable = f"<enable xmlns='{_MANAGEMENT}'/>"
    # A name that is taken is refused in the second step, and logs in all the same.
    steps = [
        (rb"</stream:features>", register),
        (rb"<iq\b[^>]*\bid=['\"]register['\"][^>]*?(?:/>|>.*?</iq>)", authenticate),
        (rb"<success\b[^>]*>", _STREAM),
        (rb"</stream:features>", bind),
        (rb"<iq\b[^>]*\bid=['\"]bind['\"][^>]*>.*?</iq>", enable),
        (rb"<enabled\b[^>]*>(?:</enabled>)?", "<presence/>"),
    ]
    return [(re.compile(pattern, re.DOTALL), answer) for pattern, answer in steps]


class XmppSession(PeerLink):
    """See ``chatbench.wire.base.Session``.

    Both sides count stanzas from the moment that management is enabled: ours begin with
    the presence, and the server's with the echo of it, by which the session is open.
    """

    def __init__(
        self, username: str, password: str, on_arrival: OnArrival, on_fault: OnFault
    ) -> None:
        super().__init__(username, on_arrival, on_fault)
        self._steps = opening(username, password)
        self._uncut = b""
        self._handled = 1
        self._others = 0
        self._acknowledged = 0
        self._is_asked = False

    def send(self, recipient: str, bodies: Sequence[str]) -> None:
        """See ``chatbench.wire.base.Session``."""
        head = f"<message to='{recipient}@{DOMAIN}' type='chat'><body>"
        tail = "</body></message>"
        stanzas = "".join([f"{head}{escape(body)}{tail}" for body in bodies])
        self._say(stanzas + _REQUEST, frames=len(bodies) + 1)

    def acknowledge(self, position: int) -> None:
        """See ``chatbench.wire.base.Session``."""
        self._acknowledged = position
        if not self._is_asked:
            return
        self._is_asked = False
        handled = position + self._others
        self._say(f"<a xmlns='{_MANAGEMENT}' h='{handled}'/>", frames=1)

    def data_received(self, data: bytes) -> None:
        """Take the steps that it allows, or cut it into what it brings."""
        self._uncut += data
        while self._steps and not self._is_closed:
            if not self._took_a_step():
                return
        if not self._is_closed:
            self._cut()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the stream."""
        super().connection_made(transport)
        self._say(_STREAM, frames=0)

    def _took_a_step(self) -> bool:
        expected, answer = self._steps[0]
        found = expected.search(self._uncut)
        if found is None:
            refusal = _REFUSAL.search(self._uncut)
            if refusal is not None:
                self.fail(f"The server refused {self._username}: {_text(refusal[0])}")
            return False
        self._uncut = self._uncut[found.end() :]
        del self._steps[0]
        self._say(answer, frames=1)
        return True

    def _cut(self) -> None:
        """Take all stanzas that are complete, and tell what they bring."""
        bodies: list[str] = []
        handled, end = self._handled, 0
        while element := _ELEMENT.match(self._uncut, end):
            end = element.end()
            self.frames_in += 1
            match element[1]:
                case b"message":
                    body = _BODY.search(element[0])
                    if body is None or _IS_ERROR.match(element[0]):
                        self.fail(f"The server refused a message: {_text(element[0])}")
                        return
                    bodies.append(_unescaped(body[1]))
                case b"a":
                    count = _HANDLED.search(element[0])
                    handled = int(count[1]) if count else handled
                case b"r":
                    self._is_asked = True
                case _:
                    self._others += 1
                    self.is_open()
        self._uncut = self._uncut[end:]
        if refusal := _REFUSAL.match(self._uncut):
            self.fail(f"The server ended the stream: {_text(refusal[0])}")
        elif len(self._uncut) > _MOST_UNCUT_BYTES:
            self.fail("The server sends what is no stanza.")
        receipts, self._handled = handled - self._handled, handled
        self.tell(receipts, bodies)
        if self._is_asked:
            self.acknowledge(self._acknowledged)

    def _say(self, text: str, *, frames: int) -> None:
        self.write(text.encode(), frames=frames)


def _unescaped(body: bytes) -> str:
    text = body.decode()
    return html.unescape(text) if "&" in text else text


def _text(element: bytes) -> str:
    return element[:200].decode(errors="replace")
