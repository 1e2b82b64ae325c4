"""All attacks, by name."""

from typing import Final

from tests.faults.abuse import (
    calls,
    commands,
    connects,
    handshakes,
    held_bytes,
    http_requests,
    logins,
    mail,
    silence,
    websocket_frames,
)
from tests.faults.abuse.targets import Attack, Run

_WEBSOCKET: Final = ("websocket",)
_GRPC: Final = ("grpc",)
_HTTP: Final = ("http",)
_NOT_GRPC: Final = ("tcp", "websocket")


def _says(run: Run) -> str:
    """The first line of an attack's docstring."""
    return (run.__doc__ or "").partition("\n")[0].strip()


def _plain(name: str, run: Run, transports: tuple[str, ...] = ()) -> Attack:
    every = transports or ("tcp", "websocket", "grpc")
    return Attack(name=name, says=_says(run), run=run, transports=every)


_MEMORY: Final = (
    *(
        Attack(name=name, says=_says(run), run=run, seconds=9)
        for name, run in (
            ("acknowledges", commands.refused_acknowledges_unread),
            ("acknowledges-in", commands.refused_acknowledges_unread_in),
        )
    ),
    Attack(
        name="notices",
        says=_says(mail.notices_unread),
        run=mail.notices_unread,
        seconds=10,
        fast_hash=True,
        database="notices",
    ),
    *(
        Attack(name=name, says=_says(run), run=run, seconds=8, transports=_WEBSOCKET)
        for name, run in (
            ("pings", websocket_frames.pings_unread),
            ("pings-in", websocket_frames.pings_unread_in),
        )
    ),
    Attack(
        name="short-frames",
        says=_says(held_bytes.short_of_a_frame),
        run=held_bytes.short_of_a_frame,
        settle_s=5,
    ),
    Attack(
        name="short-frames-in",
        says=_says(held_bytes.short_of_a_frame_in),
        run=held_bytes.short_of_a_frame_in,
        settle_s=5,
        seconds=10,
        fast_hash=True,
        database="accounts",
    ),
    _plain("lists-unread", silence.lists_unread),
    _plain("sips", silence.reads_a_byte_a_second),
    Attack(
        name="bombs",
        says=_says(websocket_frames.bombs),
        run=websocket_frames.bombs,
        transports=_WEBSOCKET,
        query="compression=deflate",
    ),
)

_PROCESSOR: Final = (
    _plain("names", commands.names_before_login),
    _plain("names-in", commands.names_of_recipients),
    Attack(
        name="patterns",
        says=_says(commands.costly_patterns),
        run=commands.costly_patterns,
        database="names",
    ),
    _plain("logouts-2", commands.logouts_by_two),
    _plain("logouts-8", commands.logouts_by_eight),
    _plain("logouts-in", commands.logouts_in),
    _plain("empty-frames", commands.empty_frames),
    _plain("empty-commands", commands.empty_commands),
    _plain("json", commands.slow_json, _NOT_GRPC),
    _plain("json-in", commands.slow_json_in, _NOT_GRPC),
    _plain("json-lines", commands.empty_lines, ("tcp",)),
    _plain("resumes", commands.resumes),
    _plain("sends", commands.valid_sends),
    _plain("sends-refused", commands.refused_sends),
    _plain("delivers", commands.delivers),
    _plain("ws-pings", websocket_frames.minimal_pings, _WEBSOCKET),
    _plain("ws-pongs", websocket_frames.minimal_pongs, _WEBSOCKET),
    _plain("ws-empty", websocket_frames.empty_messages, _WEBSOCKET),
    _plain("ws-fragments-0", websocket_frames.empty_fragments, _WEBSOCKET),
    _plain("ws-fragments-1", websocket_frames.small_fragments, _WEBSOCKET),
    _plain("ws-closed", websocket_frames.closes_that_go_on, _WEBSOCKET),
)

_SILENCE: Final = (
    Attack(
        name="unread",
        says=_says(silence.peers_that_take_nothing),
        run=silence.peers_that_take_nothing,
        seconds=silence.SECONDS,
        limits=silence.LIMITS,
    ),
)

_PASSWORDS: Final = (
    Attack(
        name="login-flood",
        says=_says(logins.wrong_passwords),
        run=logins.wrong_passwords,
        seconds=logins.SECONDS,
        worst_s=0.25,
        gives_way=False,
    ),
    Attack(
        name="create-flood",
        says=_says(logins.accounts_made),
        run=logins.accounts_made,
        seconds=8,
        worst_s=0.25,
        gives_way=False,
    ),
    _plain("deletions", commands.deletions),
    _plain("old-passwords", commands.wrong_old_passwords),
)

_CONNECTIONS: Final = (
    Attack(
        name="silent",
        says=_says(connects.silent_connections),
        run=connects.silent_connections,
        seconds=connects.SILENT_SECONDS,
    ),
    _plain("resets", connects.reset_connections),
    _plain("garbage", connects.garbage),
    _plain("watches", calls.health_watches, _GRPC),
    _plain("idle-channels", calls.idle_channels, _GRPC),
    Attack(
        name="silent-streams",
        says=_says(calls.silent_converse),
        run=calls.silent_converse,
        transports=_GRPC,
        seconds=calls.CALLS_SECONDS,
    ),
    _plain("reflection", calls.reflection_flood, _GRPC),
    _plain("unary-names", calls.costly_unary_names, _GRPC),
    _plain("rapid-reset", calls.rapid_reset, _GRPC),
    _plain("h2-pings", calls.http2_pings, _GRPC),
    _plain("unknown-methods", calls.unknown_methods, _GRPC),
)

_REQUESTS: Final = (
    *(
        Attack(
            name=name,
            says=_says(run),
            run=run,
            transports=_HTTP,
            seconds=http_requests.SECONDS,
            limits=http_requests.LIMITS,
        )
        for name, run in (
            ("http-links", http_requests.links_without_events),
            ("http-bodies", http_requests.bodies_without_an_end),
            ("http-silent", http_requests.silent_connections),
        )
    ),
    _plain("http-unread", http_requests.events_unread, _HTTP),
    _plain("http-chunks", http_requests.chunks_of_a_byte, _HTTP),
    _plain("http-heads", http_requests.large_heads, _HTTP),
)

_TLS: Final = (
    Attack(
        name="tls-half",
        says=_says(handshakes.half_handshakes),
        run=handshakes.half_handshakes,
        transports=_NOT_GRPC,
        has_tls=True,
    ),
    # grpcio has no bound for handshakes but that for connections (docs/security.md).
    Attack(
        name="tls-half-of-1000",
        says="The same where gRPC may have 1,000 connections.",
        run=handshakes.half_handshakes,
        transports=_GRPC,
        limits={"connections": "1000"},
        has_tls=True,
    ),
    *(
        Attack(name=name, says=_says(run), run=run, has_tls=True)
        for name, run in (
            ("tls-handshakes", handshakes.handshake_flood),
            ("tls-hellos", handshakes.hello_flood),
            ("tls-garbage", handshakes.broken_records),
        )
    ),
)

_OTHERS: Final = (
    Attack(
        name="mailbox",
        says=_says(mail.mailbox_filled),
        run=mail.mailbox_filled,
        seconds=8,
    ),
)

ATTACKS: Final = (
    *_MEMORY,
    *_PROCESSOR,
    *_SILENCE,
    *_PASSWORDS,
    *_CONNECTIONS,
    *_REQUESTS,
    *_TLS,
    *_OTHERS,
)


def attack_named(name: str) -> Attack:
    """The attack of this name.

    Raises:
        LookupError: there is none.
    """
    for attack in ATTACKS:
        if attack.name == name:
            return attack
    raise LookupError(f"There is no attack {name!r}.")
