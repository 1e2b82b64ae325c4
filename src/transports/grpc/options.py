"""Settings of channels and servers, the same at both ends."""

from typing import Final

from transports.base import LinkSettings

SERVICE: Final = "chat.v1.Chat"
CONVERSE: Final = f"/{SERVICE}/Converse"
_MS: Final = 1000
_MOST_CALLS: Final = 1024
"""Calls of one channel at a time, as many as a session's commands may wait (W8)."""


def channel_options(settings: LinkSettings) -> list[tuple[str, int]]:
    """Size limits before buffering, and HTTP/2 pings that keep silent links alive."""
    return [
        ("grpc.max_receive_message_length", settings.frame_bytes),
        ("grpc.max_send_message_length", settings.frame_bytes),
        ("grpc.keepalive_time_ms", int(settings.keepalive_s * _MS)),
        ("grpc.keepalive_timeout_ms", int(settings.keepalive_s * _MS)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 1000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", _MOST_CALLS),
        # Each client has a connection of its own, as on the other transports.
        ("grpc.use_local_subchannel_pool", 1),
    ]
