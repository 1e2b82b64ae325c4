"""What can be set in ``serve``, ``demo``, ``cert``; ``settings`` finds the values.

``bench_settings``, ``connecting`` and ``oneshot.declared`` have those of the others.
Flags, environment variables, the keys of the file and the help all come from here.
"""

from dataclasses import dataclass
from typing import Final, Literal

from chatapp.connecting import (
    check_plain,
    check_port,
    check_transport,
    check_urls,
    parse_metrics_address,
    transports_in,
    url_of,
)
from chatapp.errors import SettingWrong
from chatapp.exposure import check_exposure, check_networks
from chatapp.identity_settings import IdentitySettings
from chatapp.plugins import load_plugins
from chatapp.settings import setting
from chatcore.limits import Limits
from chatcore.logins import SecondLogin
from chatsystem.hash_settings import HashSettings
from chatwebhooks.errors import BadWebhookTarget
from chatwebhooks.settings import WebhookSettings
from chatwebhooks.targets import check_target

_HASHING: Final = HashSettings()
_SENDING: Final = WebhookSettings()
_MOST_WEBHOOK_S: Final = 300

_MOST_ARGON2: Final = 2**32 - 1
"""RFC 9106, section 3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(IdentitySettings):
    """Settings of ``chatcore serve``."""

    transport: str = setting(
        "tcp",
        help="what clients connect by: tcp, websocket, grpc, http, several with "
        "commas between, or all; the first takes the port, the others those after it",
        metavar="NAMES",
        unsets="listen",
    )
    host: str = setting(
        "127.0.0.1", help="the address to listen on", metavar="ADDRESS", unsets="listen"
    )
    port: int = setting(
        7400, help="the port; 0 takes a free one", metavar="PORT", unsets="listen"
    )
    listen: tuple[str, ...] = setting(
        (),
        help="listen on this URL, such as tcps://0.0.0.0:7400, instead of "
        "transport, host and port; may be given several times",
        metavar="URL",
    )
    plugin: tuple[str, ...] = setting(
        (),
        help="load a Python file that brings a transport or a store, for URLs of its "
        "scheme; may be given several times",
        metavar="FILE.py",
    )
    store: str = setting(
        "sqlite:///chat.db",
        help="where accounts and messages are kept: sqlite:///relative.db, "
        "sqlite:////absolute.db, or memory: to forget them at the end",
        metavar="URL",
    )
    second_login: SecondLogin = setting(  # noqa: RUF009  # a field, as the others
        SecondLogin.REJECT,
        help="what a login to an account in use does: it is refused, or it ends the "
        "first session",
    )
    limits: Limits = setting(  # noqa: RUF009  # a field, as the others
        Limits(),
        help="one of the limits listed below; may be given several times",
        metavar="NAME=VALUE",
    )
    erasure_log: str = setting(
        "",
        help="write each deletion to this file too, best on another disk, so that a "
        "restored backup brings nobody back",
        metavar="PATH",
    )
    erasure_log_reset: bool = setting(
        default=False,
        help="begin a new erasure log where the old one cannot be gone on with",
        here_only=True,
    )

    registration: Literal["auto", "open", "closed", "invite"] = setting(
        "auto",
        help="who may make an account: whoever connects (open), only the operator "
        "(closed), or whoever has a code of chatcore admin invite; auto is open while "
        "all listeners are on loopback, else closed",
    )
    policy: str = setting(
        "",
        help="the application's say before messages are stored: an object with "
        "SendPolicy's judge, or a class or function that makes one",
        metavar="MODULE:OBJECT",
    )
    list_policy: str = setting(
        "",
        help="whom users find by list: everybody if it is empty, nobody, or those whom "
        "the application shows, an object with ListPolicy's visible",
        metavar="nobody|MODULE:OBJECT",
    )
    handlers: str = setting(
        "",
        help="the application's functions that are told what becomes of messages: an "
        "object with any of stored, delivered, acknowledged and waiting",
        metavar="MODULE:OBJECT",
    )
    webhook: tuple[str, ...] = setting(
        (),
        help="tell this URL of each message by a signed POST, at least once; may be "
        "given several times",
        metavar="URL",
    )
    webhook_secret_file: str = setting(
        "",
        help="what webhooks are signed with: a file of a secret a line, whsec_ and 24 "
        "to 64 bytes in base64",
        metavar="FILE",
    )
    webhook_body: bool = setting(
        default=False, help="tell the text of messages in webhooks too"
    )
    webhook_attempts: int = setting(
        _SENDING.attempts,
        help="how often a webhook is tried before it is kept as failed; 36 take a day",
        metavar="N",
    )
    webhook_at_once: int = setting(
        _SENDING.at_once,
        help="webhooks under way to one URL at the same time",
        metavar="N",
    )
    webhook_within_s: float = setting(
        _SENDING.within_s,
        help="seconds that one attempt may take",
        metavar="SECONDS",
    )
    webhook_retry_failed: bool = setting(
        default=False,
        help="try those again that were kept as failed",
        here_only=True,
    )
    app_dir: str = setting(
        ".",
        help="where modules of policies, users and handlers are looked for, after "
        "those that are installed",
        metavar="DIR",
    )
    admin_socket: str = setting(
        "",
        help="listen for chatcore admin at this path, a Unix socket that only this "
        "user and root may open",
        metavar="PATH",
    )

    hash_memory_kib: int = setting(
        _HASHING.memory_kib,
        help="memory that one password hash takes, in KiB",
        metavar="KIB",
    )
    hash_passes: int = setting(
        _HASHING.passes, help="passes of one password hash over its memory", metavar="N"
    )
    hash_workers: int = setting(
        _HASHING.workers, help="passwords that are hashed at the same time", metavar="N"
    )
    hash_queue: int = setting(
        _HASHING.queue,
        help="passwords that may wait to be hashed; more are told to try again",
        metavar="N",
    )
    hash_address_queue: int = setting(
        _HASHING.address_queue,
        help="passwords of one address that may wait while others' wait too",
        metavar="N",
    )
    log_format: Literal["text", "json"] = setting(
        "text", help="how log lines look on stderr"
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", help="the least that is logged"
    )

    page: Literal["auto", "on", "off"] = setting(
        "auto",
        help="serve a page to talk on at / of listeners of HTTP; auto is on while all "
        "listeners are on loopback, else off",
    )
    metrics: str = setting(
        "",
        help="answer /metrics, /livez and /readyz by HTTP here; a port alone is one of "
        "127.0.0.1",
        metavar="HOST:PORT",
    )
    audit_log: str = setting(
        "",
        help="write the audit log to this file, and not to the other log; it is opened "
        "again on SIGHUP",
        metavar="FILE",
    )

    loop: Literal["auto", "asyncio", "uvloop"] = setting(
        "auto", help="the event loop; auto takes uvloop where it is installed"
    )

    tls_certificate: str = setting(
        "",
        help="show this certificate: a PEM file of it and its intermediates; "
        "transport, host and port then mean TLS",
        metavar="FILE",
    )
    tls_key: str = setting(
        "", help="the private key of the certificate, in PEM", metavar="FILE"
    )
    tls_client_ca: str = setting(
        "",
        help="let in only clients whose certificate one of these authorities signed",
        metavar="FILE",
    )
    insecure: bool = setting(
        default=False,
        help="listen without TLS where other machines reach it",
    )
    proxies: str = setting(
        "",
        help="believe proxies in these networks, such as 10.0.0.0/8,::1, whom they "
        "speak for: PROXY protocol 2 on TCP, X-Forwarded-For on WebSocket and gRPC",
        metavar="NETWORKS",
    )

    insecure_fast_hash: bool = setting(
        default=False,
        help="hash passwords so cheaply that they are not protected, for the demo",
        hidden=True,
    )

    def __post_init__(self) -> None:
        """Refuse what no server can use, before it opens its store."""
        self.check_identities()
        load_plugins(self.plugin)  # before URLs of their schemes are looked at
        check_port(self.port)
        if self.metrics:
            parse_metrics_address(self.metrics)
        if self.listen:
            check_urls("--listen", self.listen, needs_port=False)
        else:
            names = transports_in(self.transport)
            for name in names:
                check_transport(name)
            check_port(self.port + len(names) - 1 if self.port else 0)
        self._check_tls()
        self._check_webhooks()
        if self.page == "on" and not self.listens_for_http:
            raise SettingWrong("--page on is for a server with --transport http.")
        if self.page == "on" and self.has_proofs:
            raise SettingWrong("--page on is for users who have passwords.")
        check_networks(self.proxies)
        if self.erasure_log_reset and not self.erasure_log:
            raise SettingWrong("--erasure-log-reset is for --erasure-log PATH.")
        # Argon2 needs 8 KiB for its one lane (RFC 9106, section 3.1).
        least = {
            "hash_memory_kib": 8,
            "hash_passes": 1,
            "hash_workers": 1,
            "hash_address_queue": 1,
        }
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise SettingWrong(f"{name} is at least {lowest}.")
        for name in ("hash_memory_kib", "hash_passes"):
            if getattr(self, name) > _MOST_ARGON2:
                raise SettingWrong(f"{name} is at most {_MOST_ARGON2}.")
        if self.hash_queue < self.hash_workers:
            raise SettingWrong("hash_queue is at least hash_workers.")

    def _check_webhooks(self) -> None:
        if bool(self.webhook) != bool(self.webhook_secret_file):
            raise SettingWrong("--webhook and --webhook-secret-file go together.")
        for url in self.webhook:
            try:
                check_target(url)
            except BadWebhookTarget as error:
                raise SettingWrong(f"--webhook: {error}.") from error
        if self.webhook_attempts < 1 or self.webhook_at_once < 1:
            raise SettingWrong("webhook_attempts and webhook_at_once are at least 1.")
        if not 0 < self.webhook_within_s <= _MOST_WEBHOOK_S:
            raise SettingWrong(
                f"webhook_within_s is above 0 and at most {_MOST_WEBHOOK_S}."
            )

    def _check_tls(self) -> None:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingWrong("tls_certificate and tls_key go together.")
        if self.tls_client_ca and not self.tls_certificate:
            raise SettingWrong("tls_client_ca is for a server with tls_certificate.")
        if not self.tls_certificate:
            check_plain("--listen" if self.listen else "--transport", self.urls)
        if not self.insecure:
            check_exposure(self.urls)

    @property
    def listens_for_http(self) -> bool:
        """Whether a browser reaches it by HTTP."""
        return any(it.startswith(("http:", "https:")) for it in self.urls)

    @property
    def urls(self) -> tuple[str, ...]:
        """What to listen on."""
        port, is_secure = self.port, bool(self.tls_certificate)
        return self.listen or tuple(
            url_of(name, self.host, port + number if port else 0, is_secure=is_secure)
            for number, name in enumerate(transports_in(self.transport))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Settings of ``chatcore demo``."""

    full: bool = setting(
        default=False, help="replay the whole dataset, as fast as it goes"
    )
    conversations: int = setting(
        20, help="how many conversations to replay without --full", metavar="N"
    )
    transport: str = setting(
        "all",
        help="what the people connect by, in turn: tcp, websocket, grpc, http, several "
        "with commas between, or all",
        metavar="NAMES",
    )
    codec: Literal["protobuf", "json", "msgpack"] = setting(
        "protobuf",
        help="how frames are written; gRPC has protobuf only, HTTP json only",
    )
    json: str = setting(
        "", help="write the figures of the summary to this file", metavar="FILE"
    )
    pace: float = setting(
        0.5,
        help="seconds between the turns of the conversation that is shown, without "
        "--full",
        metavar="SECONDS",
    )

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing here."""
        if self.conversations < 1:
            raise SettingWrong("--conversations is at least 1.")
        if self.pace < 0:
            raise SettingWrong("--pace is at least 0.")
        for name in transports_in(self.transport):
            check_transport(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertSettings:
    """Settings of ``chatcore cert``."""

    out: str = setting(".", help="the folder to write to", metavar="DIR")
    force: bool = setting(default=False, help="write over the files that are there")
    names: tuple[str, ...] = setting(
        ("localhost", "127.0.0.1", "::1"),
        help="the names and addresses that clients connect to; without, those of this "
        "machine alone",
        metavar="NAME",
        word="rest",
    )
