"""gRPC: unary calls, server streams, and one stream of frames each way (W1, W4)."""

from transports.grpc.client import dial
from transports.grpc.server import listen

__all__ = ["dial", "listen"]
