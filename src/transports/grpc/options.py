"""Settings of channels and servers. gRPC passes over an option that it does not know,
so each has a test of what it does (``test_options.py``).
"""

from typing import Final

from transports.base import LinkSettings

SERVICE: Final = "chat.v1.Chat"
CONVERSE: Final = f"/{SERVICE}/Converse"
_MS: Final = 1000
_MOST_STREAMS: Final = 256
"""Calls of one connection at a time. HTTP/2 wants no fewer than 100 (RFC 9113, 6.5.2),
and a client lets further calls wait their turn, so none is refused for it: enough for
a backend that calls for many, who may have as many connections. W8 counts commands of
one session, which may be in other calls and in frames of a stream: it is the session
driver's, and needs no number here."""
_IDLE_S: Final = 300
"""A connection without a call is closed; the client opens another when it needs it."""
_METADATA_BYTES: Final = 8 * 1024
_READ_BYTES: Final = 128 * 1024
"""The largest frame that a server reads, unless a command takes more. grpcio keeps an
unfinished one where we cannot see it (B1): of 500 streams that were a byte short of
1 MiB it held 526 MiB."""


def client_options(settings: LinkSettings) -> list[tuple[str, int]]:
    """Of a channel: what it reads at most, and pings that keep a silent link alive."""
    return [
        *_sizes(settings, settings.largest_frame_bytes),
        *_pings(settings),
        # Each client has a connection of its own, as on the other transports.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def server_options(settings: LinkSettings) -> list[tuple[str, int]]:
    """Of a server: bounds of what its connections hold, before any call of theirs."""
    return [
        *_sizes(settings, most_frame_bytes(settings)),
        *_pings(settings),
        # Two servers on one port would be two chats.
        ("grpc.so_reuseport", 0),
        # Bare sockets count, and those that say no more than an HTTP/2 preface.
        ("grpc.max_allowed_incoming_connections", settings.connections),
        ("grpc.server_handshake_timeout_ms", int(settings.handshake_s * _MS)),
        ("grpc.max_connection_idle_ms", int(_IDLE_S * _MS)),
        ("grpc.max_concurrent_streams", _MOST_STREAMS),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
        # To answer a ping costs grpcio next to nothing, to take offence at each of a
        # flood so much that everybody else waited for two seconds.
        ("grpc.http2.max_ping_strikes", 0),
        # With its probes gRPC widens the windows of all streams of a fast peer, also
        # of those that nobody reads: 200 streams made it hold 720 MiB, and 19 without.
        ("grpc.http2.bdp_probe", 0),
    ]


def most_frame_bytes(settings: LinkSettings) -> int:
    """The largest frame that a server reads."""
    largest = settings.largest_frame_bytes
    wanted = settings.command_bytes or largest
    return min(largest, max(_READ_BYTES, wanted, settings.frame_bytes))


def _sizes(settings: LinkSettings, receive_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", receive_bytes),
        ("grpc.max_send_message_length", settings.largest_frame_bytes),
    ]


def _pings(settings: LinkSettings) -> list[tuple[str, int]]:
    """A peer that does not answer pings goes."""
    return [
        ("grpc.keepalive_time_ms", int(settings.keepalive_s * _MS)),
        ("grpc.keepalive_timeout_ms", int(settings.keepalive_s * _MS)),
        # The one above alone was seen to end nothing: the shorter of the two counts.
        ("grpc.http2.ping_timeout_ms", int(settings.keepalive_s * _MS)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ]
