"""Where webhooks go: URLs that the operator has named, and nobody else."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from chatwebhooks.errors import BadWebhookTarget

_SCHEMES: Final = ("http", "https")


def check_target(url: str) -> None:
    """Raise ``BadWebhookTarget`` for what is no URL of HTTP, or has a password."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError as error:
        raise BadWebhookTarget(url, str(error)) from error
    if parts.username is not None or parts.password is not None:
        # It is not shown: it may be a password (B8).
        hidden = f"{parts.scheme}://…"
        raise BadWebhookTarget(hidden, "a user or password has no place in it")
    if parts.scheme not in _SCHEMES or not parts.hostname or not has_port:
        raise BadWebhookTarget(url, "it is no https://HOST… or http://HOST…")
    if parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise BadWebhookTarget(url, "it has a fragment, or characters that no URL has")


def told_target(url: str) -> str:
    """A target as it may stand in a log: its path and query may be secrets (B8)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_in_the_clear(url: str) -> bool:
    """Whether what it is told crosses a network that others may read."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True
