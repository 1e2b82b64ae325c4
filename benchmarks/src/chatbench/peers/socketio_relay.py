"""A 1:1 relay on python-socketio and aiohttp, on the port that its argument names.

A session says at its connection who it is. ``send`` names a recipient and a body; the
recipient gets ``message``, which it acknowledges, and the sender's acknowledgement is
what ``send`` returns, once the message was passed on.
"""

import importlib
import sys
from typing import Any, Final

_HOST: Final = "127.0.0.1"


def served(socketio: Any, web: Any) -> Any:  # noqa: ANN401  # not installed everywhere
    """The application: who is connected, and what is passed on."""
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        transports=["websocket"],
        logger=False,
        engineio_logger=False,
    )
    sessions: dict[str, str] = {}

    async def connected(
        session: str, _environ: dict[str, Any], auth: dict[str, str]
    ) -> None:
        sessions[auth["username"]] = session

    async def passed_on(_session: str, recipient: str, body: str) -> bool:
        to = sessions.get(recipient)
        if to is None:
            return False
        await server.emit("message", body, to=to, callback=_acknowledged)
        return True

    server.on("connect", handler=connected)
    server.on("send", handler=passed_on)
    application = web.Application()
    server.attach(application)
    return application


def _acknowledged(*_answer: object) -> None:
    """Take the recipient's acknowledgement; nothing was stored, nothing is freed."""


def main() -> None:
    """See the module."""
    # By name, so that nothing of ours needs them to be installed.
    socketio = importlib.import_module("socketio")
    web = importlib.import_module("aiohttp.web")
    web.run_app(
        served(socketio, web),
        host=_HOST,
        port=int(sys.argv[1]),
        print=None,
        access_log=None,
    )


if __name__ == "__main__":
    main()
