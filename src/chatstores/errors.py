"""Why a store could not be opened, each reason with a stable number (600 to 610).

::

    chatcore.errors.ChatError
    └── OpeningError
        ├── 600  BadStoreUrl
        │        └── UnknownStore
        ├── 601  StoreNotOurs
        ├── 602  StoreTooNew
        ├── 603  StoreInUse
        ├── 604  StoreReadOnly
        ├── 605  FolderMissing
        ├── 606  SchemaUnreadable
        ├── 607  WalMissing
        ├── 608  ErasureLogRefused
        ├── 609  AlreadyThere
        └── 610  CopyFailed

They are for the operator who starts a server or looks after its files, never for a
client: what goes wrong in a store that is open is ``chatcore.errors.Outage``. Nothing
was changed on the disk.
"""

import re
from typing import ClassVar

from chatcore.errors import ChatError


class OpeningError(ChatError):
    """A store that could not be opened, and what to do about it.

    Attributes:
        code: the stable number; never used again for something else.
        text: what is wrong and what to do, for people.
        fields: what a program may want of it, by name.
    """

    code: ClassVar[int]
    template: ClassVar[str]

    def __init__(self, **fields: str | int) -> None:
        self.fields: dict[str, str] = {name: str(it) for name, it in fields.items()}
        self.text = self.template.format_map(self.fields)
        super().__init__(self.text)

    def __str__(self) -> str:
        return f"[{self.code}] {self.text}"


class BadStoreUrl(OpeningError):
    """A URL that names no store."""

    code = 600
    template = "The store URL {url!r} cannot be used: {reason}."

    def __init__(self, *, url: str, **fields: str | int) -> None:
        super().__init__(url=without_password(url), **fields)


class UnknownStore(BadStoreUrl):
    """A URL whose scheme no store has."""

    template = "No store answers to the URL {url!r}; those that are known: {known}."


class StoreNotOurs(OpeningError):
    """A file that is no database of chatcore, or no longer a sound one."""

    code = 601
    template = (
        "{path} is not a chatcore store ({reason}); name another file, "
        "or bring this one back from a backup."
    )


class StoreTooNew(OpeningError):
    """A database that a newer version has migrated."""

    code = 602
    template = (
        "{path} has schema {found}, and this version knows up to {known}; "
        "run the version of chatcore that wrote it, or a later one."
    )


class StoreInUse(OpeningError):
    """A database that another server holds."""

    code = 603
    template = "{path} is used by another server; stop it, or name another file."


class StoreReadOnly(OpeningError):
    """A file or folder that this process may not write."""

    code = 604
    template = (
        "{path} cannot be written ({reason}); give this user the right to write "
        "the file and its folder."
    )


class FolderMissing(OpeningError):
    """A file in a folder that does not exist."""

    code = 605
    template = "The folder {folder} does not exist; create it, or name another file."


class SchemaUnreadable(OpeningError):
    """A file of the program itself that it cannot read; no store is at fault."""

    code = 606
    template = (
        "{path}, a part of chatcore itself, cannot be read ({reason}); give this user "
        "the right to read it, or install chatcore again."
    )


class WalMissing(OpeningError):
    """A database without the log that its last commits are in."""

    code = 607
    template = (
        "{path} was copied while a server had it open, or has lost its log: {wal} is "
        "missing, and with it the last commits or all of them. Put that file beside "
        "it, or have `chatcore restore` put a copy in its place that `chatcore backup` "
        "made. To go on with what there is, once: "
        "chatcore serve --store 'sqlite:///{path}?missing-wal=accept'."
    )


class ErasureLogRefused(OpeningError):
    """An erasure log that does not go on from where the database is."""

    code = 608
    template = (
        "The erasure log {path} cannot be gone on with: {reason}. Accounts that were "
        "erased could come back. Find the right log, or {override}."
    )


class AlreadyThere(OpeningError):
    """A file that would be overwritten."""

    code = 609
    template = "{path} is there already; name another file, or {override}."


class CopyFailed(OpeningError):
    """A copy of a database that could not be made, or is not sound."""

    code = 610
    template = "{path} could not be written: {reason}. No copy was made."


def without_password(url: str) -> str:
    """A store's URL as it may be told: a password before the host is left out (B8)."""
    return re.sub(r"^([\w+.-]+://[^/?#:@]*):[^/?#]*@", r"\1:***@", url)


def reason_of(error: OSError) -> str:
    """What the system says of a file that the error's reader is told of beside it."""
    return error.strerror or str(error)
