"""The audit log: a line for each login, failure, new password, new account, deletion.

The logger is ``chatcore.audit``, at INFO. What is refused comes in a bounded number,
and then how many there were, so that who guesses passwords does not fill the disk.
Neither passwords, tokens nor bodies are in it (B8): the events have none.
"""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from chatapp.errors import CannotWrite
from chatapp.logs import FIELDS, JsonLines
from chatcore.model import AuditEvent, Origin
from transports.connection_names import CONNECTION_FIELD
from transports.rate_limited_log import WHILE_S, RateLimitedLog

AUDIT: Final = "chatcore.audit"
_log = logging.getLogger(__name__)
_OWNER_ONLY: Final = 0o600


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


class AuditFile(logging.Handler):
    """The audit log's own file: an object a line, for its owner's eyes (B8).

    Nothing is kept back: a line is with the system once it was logged, or it is not
    written at all.
    """

    def __init__(self, path: Path) -> None:
        self._file = _open(path)  # first: logging closes whatever handler was begun
        super().__init__()
        self.setFormatter(JsonLines())
        self._path = path
        self._is_whole = True
        self._is_told = False

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``; that it cannot is said once, until it can."""
        line = f"{self.format(record)}\n".encode()
        try:
            if not self._is_whole:
                line = b"\n" + line
            self._is_whole = self._file.write(line) == len(line)
            self._is_told = self._is_told and not self._is_whole
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if not self._is_told:
            self._is_told = True
            _log.error("The audit log cannot be written: %s", error)

    def reopen(self) -> None:
        """Write to what has the path now, as after a rotation; else go on as before."""
        try:
            opened = _open(self._path)
        except OSError as error:
            _log.error("The audit log cannot be opened again: %s", error)
            return
        self.acquire()
        before, self._file, self._is_whole = self._file, opened, True
        self.release()
        before.close()

    def close(self) -> None:
        """See ``logging.Handler``."""
        self._file.close()
        super().close()


def _open(path: Path) -> FileIO:
    return FileIO(
        path, "a", opener=lambda name, flags: os.open(name, flags, _OWNER_ONLY)
    )


@contextmanager
def audit_to(path: Path) -> Iterator[AuditFile]:
    """Have the audit log written to a file, and only there, while the block runs.

    Raises:
        CannotWrite: it cannot be opened.
    """
    try:
        file = AuditFile(path)
    except OSError as error:
        raise CannotWrite(
            f"The audit log {path} cannot be written: {error.strerror}."
        ) from error
    logger = logging.getLogger(AUDIT)
    level = logger.level
    logger.addHandler(file)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield file
    finally:
        logger.propagate = True
        logger.setLevel(level)
        logger.removeHandler(file)
        file.close()
