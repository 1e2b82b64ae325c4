"""Why a comparison cannot be run, or a part of it failed: one sentence each.

::

    BenchError
    ├── CannotCompare      nothing of the sort can be run here, or as it was asked
    ├── CannotWriteResults
    ├── ResultsUnreadable  a file that is no results.json of ours
    └── ChildFailed        a server or a load generator; ends one round, not the run
"""

from pathlib import Path


class BenchError(Exception):
    """Any of these; its text is one sentence for a person."""


class CannotCompare(BenchError):
    """What was asked for cannot be run on this machine, or there is nothing of it."""


class CannotWriteResults(BenchError):
    """The folder of the results cannot be written."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be written: {reason}.")


class ResultsUnreadable(BenchError):
    """A file that cannot be read as results."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be read as results: {reason}.")


class ChildFailed(BenchError):
    """A process of the harness did not do what it is for.

    Attributes:
        process: which, such as ``the server of tcp-protobuf-sqlite``.
        reason: what it said last, or what it did not do.
    """

    def __init__(self, process: str, reason: str) -> None:
        self.process = process
        self.reason = reason
        super().__init__(f"{process[:1].upper()}{process[1:]} failed: {reason}")
