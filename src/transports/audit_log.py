"""The audit log: a line for each login, failure, new password, new account, deletion.

The logger is ``chatcore.audit``, at INFO. What is refused comes in a bounded number,
and then how many there were, so that who guesses passwords does not fill the disk.
Neither passwords, tokens nor bodies are in it (B8): the events have none.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from chatcore.model import AuditEvent, Origin
from transports.connection_names import CONNECTION_FIELD
from transports.rate_limited_log import WHILE_S, RateLimitedLog

AUDIT: Final = "chatcore.audit"

FIELDS: Final = "fields"
"""The attribute of a log record that has what a program may want of it, by name."""


class AuditLog:
    """See ``chatcore.ports.Observer``: writes what it is told to the log.

    For one event loop, in which it tells what it left out also when nothing follows.
    """

    def __init__(self) -> None:
        self._log = logging.getLogger(AUDIT)
        self._refused = RateLimitedLog(self._log)
        self._timer: asyncio.TimerHandle | None = None

    def audit(self, event: AuditEvent) -> None:
        """See ``chatcore.ports.Observer``."""
        origin, refusal = event.origin, event.refusal
        name = event.username or "(no valid name)"
        told: dict[str, object] = {
            "action": event.action.value,
            "outcome": "done" if refusal is None else "refused",
            "username": event.username,
            "account": event.account,
            "peer": origin.peer,
            "transport": origin.transport,
        }
        if refusal is None:
            self._log.info(
                f"{event.action.value} of %s %s",
                name,
                _way(origin),
                extra=_extra(event, told),
            )
            return
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(WHILE_S + 1, self._settle)
        told |= {"code": refusal.code, "error": refusal.name}
        self._refused.info(
            f"{event.action.value} of %s %s was refused: [%d] %s",
            name,
            _way(origin),
            refusal.code,
            refusal.name,
            extra=_extra(event, told),
        )

    def _settle(self) -> None:
        self._timer = None
        self._refused.settle()


def _way(origin: Origin) -> str:
    """By which way it was asked; the operator's socket has no address."""
    over = f"over {origin.transport}"
    return f"from {origin.peer} {over}" if origin.peer else over


def _extra(event: AuditEvent, told: Mapping[str, object]) -> Mapping[str, object]:
    return {CONNECTION_FIELD: event.origin.connection, FIELDS: told}
