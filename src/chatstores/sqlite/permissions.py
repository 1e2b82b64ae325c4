"""Who may read the file: nobody but its owner (B8).

SQLite makes a database with the mode 0644 less the umask, and gives its log the mode of
the database. So an empty file is made before SQLite opens it, and only for SQLite to
find; what is there already is the operator's, who is told when others can read it.
"""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from chatstores.private_files import OWNER_ONLY

_log = logging.getLogger(__name__)

_READABLE: Final = stat.S_IRGRP | stat.S_IROTH


def make_private(path: Path) -> None:
    """Make ``path`` when it is missing, empty and for its owner only.

    Where that cannot be done nothing is: SQLite then says why, when it is not allowed
    to make the file itself.
    """
    with suppress(OSError):
        # O_EXCL does not follow a link to a file that is still to be made.
        target = os.path.realpath(path)
        file = os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY)
        try:
            os.fchmod(file, OWNER_ONLY)  # the umask may take away even from that
        finally:
            os.close(file)


def warn_if_readable(path: Path) -> None:
    """Log it when others than the owner can read ``path`` or the log beside it."""
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & _READABLE:
                _log.warning(
                    "%s can be read by others (mode %04o), with all messages in it; "
                    "take that right away: chmod go= %s",
                    file,
                    mode,
                    file,
                )
                return
