"""Which server a command talks with: settings of all commands that connect."""

from dataclasses import dataclass
from typing import Final, Literal

from chatapp.errors import SettingWrong
from chatapp.settings import setting

_MOST_PORT: Final = 65_535
_SCHEMES: Final = {"websocket": "ws"}
"""Names that people know a transport by, where its URLs have another."""

ALL_TRANSPORTS: Final = ("tcp", "websocket", "grpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Settings of ``chatcore client``, and the first ones of the one-shot commands."""

    transport: str = setting(
        "tcp",
        help="what to connect by: tcp, websocket, grpc, or the scheme of a URL",
        metavar="NAME",
        unsets="connect",
    )
    host: str = setting(
        "127.0.0.1", help="the server's address", metavar="ADDRESS", unsets="connect"
    )
    port: int = setting(
        7400, help="the server's port", metavar="PORT", unsets="connect"
    )
    connect: tuple[str, ...] = setting(
        (),
        help="connect to this URL instead of transport, host and port; more than one "
        "are tried in turn",
        metavar="URL",
    )
    codec: Literal["protobuf", "json", "msgpack"] = setting(
        "protobuf", help="how frames are written"
    )

    def __post_init__(self) -> None:
        """Refuse a port that is none."""
        check_port(self.port)

    @property
    def urls(self) -> tuple[str, ...]:
        """What to connect to, in this order."""
        return self.connect or (url_of(self.transport, self.host, self.port),)


def check_port(port: int) -> None:
    """Raise ``SettingWrong`` for a number that is no port."""
    if not 0 <= port <= _MOST_PORT:
        raise SettingWrong(f"The port is 0 to {_MOST_PORT}, not {port}.")


def url_of(transport: str, host: str, port: int) -> str:
    """The URL of a transport, an address and a port."""
    from transports.base import authority  # noqa: PLC0415  # slow: --help needs none

    return f"{_SCHEMES.get(transport, transport)}://{authority(host, port)}"


def transports_in(names: str) -> tuple[str, ...]:
    """The transports of a list such as ``tcp,grpc``; ``all`` stands for ours."""
    return ALL_TRANSPORTS if names == "all" else tuple(names.split(","))
