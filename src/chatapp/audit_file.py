"""A file of its own for the audit log (``transports.audit_log``)."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from chatapp.errors import CannotWrite
from chatapp.logs import JsonLines
from transports.audit_log import AUDIT

_log = logging.getLogger(__name__)
_OWNER_ONLY: Final = 0o600


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
