"""A client's protocol between a test's two hands: no loop, no link, no clock.

client = Transcript()
client.link(WELCOME)
login = client.ask(LOGIN)
assert client.said() == [Request(login, LOGIN)]
client.hears(logged_in(login))
assert client.told() == [CommandAnswered(login, logged_in(login))]
"""

from collections.abc import Sequence
from typing import Final

from chatcore.commands import (
    Acknowledge,
    Command,
    Login,
    Pong,
    Request,
    Resume,
    Send,
)
from chatcore.errors import CloseCode
from chatcore.events import Event
from tests.unit.transports.client.scripted import PASSWORD, WELCOME, logged_in
from transports import ReconnectPolicy
from transports.client.events import ClientEvent
from transports.client.key_generator import KeyGenerator
from transports.client.protocol import ClientProtocol
from transports.client.states import OWN_ID
from transports.codec import codec
from transports.errors import LinkClosed

URL: Final = "tcp://one"
OTHER: Final = "ws://two"
LOGIN: Final = Login(username="ada", password=PASSWORD)
HELLO: Final = Send("bob", "hello")
_CODEC: Final = codec("protobuf")


def own(command: Resume | Login | Acknowledge | Pong) -> Request:
    """What the client says by itself."""
    return Request(OWN_ID, command)


class Transcript:
    """One client, whom a test asks, and to whom it says what a server would.

    Attributes:
        protocol: the client's.
        now_s: what it takes for the time.
    """

    def __init__(
        self,
        *urls: str,
        reconnect: ReconnectPolicy | None = ReconnectPolicy(),  # noqa: B008  # frozen
    ) -> None:
        self.now_s = 1000.0
        self.protocol = ClientProtocol(
            urls or [URL],
            reconnect,
            KeyGenerator(lambda _bits: 0),
            now_s=self.now_s,
        )

    def link(self, *events: Event) -> str:
        """A link is opened, and says this in one frame; where it leads."""
        url = self.protocol.next_url()
        self.protocol.link_opened(_CODEC)
        self.hears(*events)
        return url

    def link_with(self, proof: str, *events: Event) -> None:
        """A link is opened, on which this proof is shown."""
        self.protocol.next_url()
        self.protocol.link_opened(_CODEC, proof)
        self.hears(*events)

    def hears(self, *events: Event) -> None:
        """The server says this in one frame."""
        self.protocol.receive_frame(_CODEC.encode_events(events), self.now_s)

    def ask(self, command: Command) -> int:
        """A caller asks this; the command's id."""
        return self.protocol.ask(command, self.now_s)

    def said(self) -> list[Request]:
        """What the client has to say to the server, of all its frames."""
        frames = self.protocol.frames_to_send()
        return [it for frame in frames for it in _CODEC.decode_commands(frame)]

    def told(self) -> Sequence[ClientEvent]:
        """What the client tells those around it."""
        return self.protocol.take_events()

    def lose_link(self, code: CloseCode = CloseCode.LINK_LOST) -> None:
        """The link is lost; the draw of the jitter is 1."""
        self.protocol.link_lost(LinkClosed(code), now_s=self.now_s, jitter=1.0)

    def log_in(self, *, acknowledged: int = 0) -> None:
        """A first link, and Ada's login on it."""
        self.link(WELCOME)
        login = self.ask(LOGIN)
        assert self.said() == [Request(login, LOGIN)]
        self.hears(logged_in(login, acknowledged=acknowledged))
        self.told()
