"""What is said on the operator's socket: one JSON object a line, in UTF-8.

The client asks, one request at a time::

    {"version": 1, "command": "accounts", "arguments": {"pattern": "a*"}}

The server answers with any number of items and one end, which is one of the last two::

    {"item": {"username": "ada", "account": 1, "online": true}}
    {"done": {}}
    {"error": {"code": 209, "name": "NO_SUCH_ACCOUNT", "text": "…", "fields": {…}}}

A version is raised when an old client would misunderstand an answer; fields that are
new need none.
"""

import json
from typing import Final

VERSION: Final = 1
LINE_BYTES: Final = 64 * 1024 * 1024
"""The longest line of an answer: one message of an export, and room."""
REQUEST_BYTES: Final = 16 * 1024
"""The longest line of a request: two passwords in JSON, and room."""


class NotUnderstood(Exception):
    """A line that is no request, or one of another version; its text says which."""


def encode(line: dict[str, object]) -> bytes:
    """A line as it is sent."""
    return json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, object]:
    """A line as it was sent; raises ``NotUnderstood``."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("This is no JSON") from error
    if not isinstance(found, dict):
        raise NotUnderstood("This is no JSON object")
    return found


def parse_request(line: bytes) -> tuple[str, dict[str, object]]:
    """The command and the arguments of a request; raises ``NotUnderstood``."""
    request = decode(line)
    if request.get("version") != VERSION:
        raise NotUnderstood(f"This server speaks version {VERSION}")
    command, arguments = request.get("command"), request.get("arguments", {})
    if not isinstance(command, str) or not isinstance(arguments, dict):
        raise NotUnderstood("A request has a command and its arguments")
    return command, arguments
