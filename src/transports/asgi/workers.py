"""Worker processes of one server, of which only one may have a chat in memory.

Each would have accounts and mail of its own, and nobody would notice but the users. A
store in a file is locked by who has it open; this is the same for one in no file.
"""

import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from chatcore.store import Store
from transports.asgi.errors import WorkersSplit
from transports.errors import reason_of

_log = logging.getLogger(__name__)

_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def only_worker(store: Store) -> Iterator[None]:
    """Be the only worker of a server that has a store which is in its memory alone.

    A process that no server has started as one of its workers is not asked.

    Raises:
        WorkersSplit: another one is.
    """
    if store.durable or not _is_worker():
        yield
        return
    import fcntl  # noqa: PLC0415  # Windows has none

    path = Path(tempfile.gettempdir()) / f"chatcore-{os.getuid()}-{os.getppid()}.lock"
    try:
        file = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        text = "Nobody can see whether another worker has a chat in memory: %s: %s"
        _log.warning(text, path, reason_of(error))
        yield
        return
    try:
        try:
            # The process has it, so that several chats of one are none's matter.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkersSplit(int(os.pread(file, 20, 0) or b"0")) from None
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(file)


def _is_worker() -> bool:
    """Whether another process has started this one to serve as it does: of uvicorn and
    hypercorn by ``multiprocessing``, of gunicorn by a fork.
    """
    if sys.platform == "win32":
        return False
    return multiprocessing.parent_process() is not None or "gunicorn" in sys.modules
