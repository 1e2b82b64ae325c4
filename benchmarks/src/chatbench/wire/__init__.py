"""Bare wires to a server under load: sessions that do next to nothing themselves.

``sessions.open_session`` opens one for a contestant: a codec of ``codecs`` over a
connection of ``tcp``, ``websocket`` or ``grpc_stream``; or, in rows of their own, our
client library and gRPC's unary calls. What a lean session writes is byte for byte what
the client library would write, so the server has the same work with either.
"""
