"""Which server a command talks with: settings of all commands that connect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from chatapp.errors import CannotLoad, CannotReach, SettingWrong
from chatapp.plugins import load_plugins
from chatapp.settings import setting

if TYPE_CHECKING:
    from transports.errors import CannotConnect
    from transports.tls import ClientTls

_LOOPBACK: Final = "127.0.0.1"
_MOST_PORT: Final = 65_535
_NEED_PORTS: Final = frozenset({"tcp", "tcps", "grpc", "grpcs"})
"""Schemes that have no port of their own."""
_ONE_CODEC: Final = (("gRPC", "grpc", "protobuf"), ("HTTP", "http", "json"))
"""What carries one codec only, its scheme, and the codec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Settings of every command that connects."""

    transport: str = setting(
        "tcp",
        help="what to connect by: tcp, websocket, grpc, http, or the scheme of a URL",
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
    plugin: tuple[str, ...] = setting(
        (),
        help="load a Python file that brings a transport, for URLs of its scheme",
        metavar="FILE.py",
    )
    codec: Literal["auto", "protobuf", "json", "msgpack"] = setting(
        "auto", help="how frames are written; auto: as the transport carries them best"
    )
    tls: bool = setting(default=False, help="connect by TLS")
    tls_ca: str = setting(
        "",
        help="connect by TLS, and trust these authorities instead of the system's",
        metavar="FILE",
    )
    tls_certificate: str = setting(
        "",
        help="connect by TLS, and show this certificate to a server that asks for one",
        metavar="FILE",
    )
    tls_key: str = setting(
        "", help="the private key of that certificate", metavar="FILE"
    )

    def __post_init__(self) -> None:
        """Refuse what nobody can connect to."""
        load_plugins(self.plugin)  # before URLs of their schemes are looked at
        check_port(self.port)
        if self.connect:
            check_urls("--connect", self.connect, needs_port=True)
        else:
            check_transport(self.transport)
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingWrong("--tls-certificate and --tls-key go together.")
        if self._is_secure:
            check_secure("--connect", self.connect)
        for name, scheme, carried in _ONE_CODEC:
            schemes = (f"{scheme}:", f"{scheme}s:")
            if self.codec not in {"auto", carried} and all(
                it.startswith(schemes) for it in self.urls
            ):
                raise SettingWrong(f"{name} carries {carried} only, not {self.codec}.")

    @property
    def asked_codec(self) -> str | None:
        """The codec to use; None for what the transport carries best."""
        return None if self.codec == "auto" else self.codec

    @property
    def urls(self) -> tuple[str, ...]:
        """What to connect to, in this order."""
        return self.connect or (
            url_of(self.transport, self.host, self.port, is_secure=self._is_secure),
        )

    @property
    def _is_secure(self) -> bool:
        return bool(self.tls or self.tls_ca or self.tls_certificate)

    @property
    def client_tls(self) -> "ClientTls":
        """Whom to trust, and what to show."""
        from transports.tls import ClientTls  # noqa: PLC0415  # slow: --help needs none

        return ClientTls(
            ca=self.tls_ca, certificate=self.tls_certificate, key=self.tls_key
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings(ClientSettings):
    """Settings of ``chatcore client``."""

    invitation: str = setting(
        "",
        help="the operator's code that allows create, where one is needed",
        metavar="CODE",
        is_secret=True,
    )


def check_port(port: int) -> None:
    """Raise ``SettingWrong`` for a number that is no port."""
    if not 0 <= port <= _MOST_PORT:
        raise SettingWrong(f"The port is 0 to {_MOST_PORT}, not {port}.")


def parse_metrics_address(text: str) -> tuple[str, int]:
    """Host and port of ``--metrics``; a port alone is one of loopback.

    Raises:
        SettingWrong: it is neither ``HOST:PORT`` nor ``PORT``.
    """
    host, colon, number = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    host = (host[1:-1] if is_bracketed else host) if colon else _LOOPBACK
    is_port = number.isascii() and number.isdigit() and int(number) <= _MOST_PORT
    if not host or not is_port or (":" in host) != is_bracketed:
        raise SettingWrong(
            "metrics is HOST:PORT, such as 127.0.0.1:9400 or [::1]:9400, or a port of "
            f"127.0.0.1, not {text!r}."
        )
    return host, int(number)


def check_transport(name: str) -> None:
    """Raise ``SettingWrong`` for a name that no transport has."""
    if name in _schemes():
        return
    from transports.registry import TRANSPORTS  # noqa: PLC0415  # slow, as below

    if not TRANSPORTS.is_known(name):
        listed = ", ".join([*_schemes(), *_of_others(_known())])
        raise SettingWrong(f"There is no transport {name!r}; known: {listed}.")


def check_urls(flag: str, urls: Iterable[str], *, needs_port: bool) -> None:
    """Raise ``SettingWrong`` for a URL that no transport serves."""
    from transports.base import parse_address  # noqa: PLC0415  # as above
    from transports.errors import BadUrl  # noqa: PLC0415  # as above
    from transports.registry import TRANSPORTS  # noqa: PLC0415  # as above

    ours = [*_schemes().values(), *_secure_schemes().values()]
    for url in urls:
        try:
            address = parse_address(url)
        except BadUrl as error:
            raise SettingWrong(f"{flag}: {error}") from error
        scheme = address.scheme
        if not TRANSPORTS.is_known(scheme):
            listed = ", ".join(f"{it}://" for it in [*ours, *_of_others(_known())])
            raise SettingWrong(
                f"{flag}: no transport serves {url!r}; URLs begin with {listed}."
            )
        if needs_port and scheme in ours and not address.host:
            raise SettingWrong(
                f"{flag}: {url!r} names no host, as {scheme}://HOST does."
            )
        if needs_port and scheme in _NEED_PORTS and not address.port:
            raise SettingWrong(
                f"{flag}: {url!r} has no port, such as {scheme}://127.0.0.1:7400."
            )


def check_plain(flag: str, urls: Iterable[str]) -> None:
    """Raise ``SettingWrong`` for a URL with TLS, for which there is no certificate."""
    for url in urls:
        if url.partition(":")[0] in _secure_schemes().values():
            raise SettingWrong(
                f"{flag}: {url!r} needs --tls-certificate and --tls-key; chatcore cert "
                "makes some to try."
            )


def check_secure(flag: str, urls: Iterable[str]) -> None:
    """Raise ``SettingWrong`` for a URL without TLS, where TLS was asked for."""
    for url in urls:
        scheme, _, rest = url.partition(":")
        if scheme in _secure_schemes():
            raise SettingWrong(
                f"{flag}: {url!r} is without TLS, which the --tls flags ask for: "
                f"{_secure_schemes()[scheme]}:{rest} is with it."
            )


def cannot_reach(error: "CannotConnect", settings: ClientSettings) -> CannotReach:
    """Why there is no server, and which flag helps where the transport was wrong."""
    from transports.base import parse_address  # noqa: PLC0415  # as above
    from transports.errors import WrongTransport  # noqa: PLC0415  # as above

    if "certificate is not accepted" in error.reason:
        return CannotReach(
            f"{str(error).removesuffix('.')}; --tls-ca names a file of those to trust."
        )
    if not isinstance(error, WrongTransport):
        return CannotReach(str(error))
    address = parse_address(error.url)
    plain_of = {secure: plain for plain, secure in _secure_schemes().items()}
    plain = plain_of.get(error.speaks, error.speaks)
    named = {scheme: name for name, scheme in _schemes().items()}
    if error.speaks == "tls":
        advice = "--tls"
    elif plain not in named:
        return CannotReach(str(error))
    else:
        advice = _advice(
            settings,
            transport=named[plain],
            place=(address.host, address.port),
            is_other=plain != plain_of.get(address.scheme, address.scheme),
            is_secure=plain != error.speaks,
        )
    return CannotReach(f"{str(error).removesuffix('.')}; try {advice}.")


def _advice(
    settings: ClientSettings,
    *,
    transport: str,
    place: tuple[str, int],
    is_other: bool,
    is_secure: bool,
) -> str:
    """What to type instead: of transport and TLS as much as was wrong."""
    if settings.connect:
        return f"--connect {url_of(transport, *place, is_secure=is_secure)}"
    flags = [f"--transport {transport}"] if is_other else []
    if is_secure:
        flags.append("--tls")
    elif settings.urls[0].partition(":")[0] in _secure_schemes().values():
        flags.append("no --tls flags")
    return " and ".join(flags)


def _known() -> list[str]:
    """Every scheme that a transport serves; ``CannotLoad`` where one hides ours."""
    from chatsystem.schemes import BadPlugin  # noqa: PLC0415  # as above
    from transports.registry import TRANSPORTS  # noqa: PLC0415  # as above

    try:
        return TRANSPORTS.schemes()
    except BadPlugin as error:
        raise CannotLoad(str(error)) from error


def _of_others(known: Iterable[str]) -> list[str]:
    """Schemes that others have registered; loopback is for tests of one process."""
    ours = {*_schemes().values(), *_secure_schemes().values()}
    return sorted(set(known) - ours - {"loopback"})


def url_of(transport: str, host: str, port: int, *, is_secure: bool = False) -> str:
    """The URL of a transport, an address and a port."""
    from transports.base import authority  # noqa: PLC0415  # slow: --help needs none

    scheme = _schemes().get(transport, transport)
    if is_secure:
        scheme = _secure_schemes().get(scheme, scheme)
    return f"{scheme}://{authority(host, port)}"


def transports_in(names: str) -> tuple[str, ...]:
    """The transports of a list such as ``tcp,grpc``; ``all`` stands for ours."""
    return tuple(_schemes()) if names == "all" else tuple(names.split(","))


def _schemes() -> Mapping[str, str]:
    """The schemes of our transports by the names that people type."""
    from transports.registry import SCHEMES  # noqa: PLC0415  # slow: --help needs none

    return SCHEMES


def _secure_schemes() -> Mapping[str, str]:
    """The schemes with TLS by those without."""
    from transports.tls import SECURE_SCHEMES  # noqa: PLC0415  # slow, as above

    return SECURE_SCHEMES
