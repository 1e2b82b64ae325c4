"""Files for their owner only, and names that last."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR


def open_private(path: Path) -> int:
    """Open a file for its owner only, made when it is missing; its descriptor."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    os.fchmod(file, OWNER_ONLY)
    return file


def sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, where a folder can be opened."""
    with suppress(PermissionError):  # on Windows
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def free_name(path: Path, label: str) -> Path:
    """``chat.db.before-restore-1`` of ``chat.db``, or the next that nothing has."""
    number = 1
    while (name := path.with_name(f"{path.name}.{label}-{number}")).exists():
        number += 1
    return name
