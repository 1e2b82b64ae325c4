"""Which file a store's URL names: these commands know SQLite's alone."""

from pathlib import Path

from chatapp.errors import SettingWrong
from chatstores.sqlite.address import parse_sqlite_url


def store_file(url: str) -> Path:
    """The database of ``url``.

    Raises:
        SettingWrong: the store has no file to look after.
        chatstores.errors.BadStoreUrl: it is no URL of a file.
    """
    if not url.startswith("sqlite:"):
        raise SettingWrong(
            f"--store {url} has no file to look after: only sqlite: has one."
        )
    return parse_sqlite_url(url).path
