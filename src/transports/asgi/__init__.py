"""A chat inside an ASGI 3 application (the specification is at asgi.readthedocs.io).

``ChatApp`` is such an application. The server around it (uvicorn, hypercorn) has the
sockets and shakes hands; here its messages become links, and the rest is as on every
transport.
"""

from transports.asgi.app import ChatApp
from transports.asgi.errors import AlreadyServing, NotServing, WorkersSplit

__all__ = ["AlreadyServing", "ChatApp", "NotServing", "WorkersSplit"]
