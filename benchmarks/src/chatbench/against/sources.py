"""The two source trees: this one, and that of a commit in a folder of its own."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chatbench.children import signals_held_back
from chatbench.errors import CannotCompare
from chatbench.machine import commit_of_source

_CHECKOUT: Final = Path(__file__).resolve().parents[4]
_SHORT: Final = 10


@dataclass(frozen=True, slots=True)
class Tree:
    """A version of the server.

    Attributes:
        commit: with ``+`` where the tree has changes.
        source: its folder ``src``.
    """

    commit: str
    source: Path


def this_tree() -> Tree:
    """What runs now.

    Raises:
        CannotCompare: it is not in a git checkout of its own.
    """
    commit = commit_of_source()
    if commit == "unknown":
        raise CannotCompare("--against needs a git checkout of chatcore to run in.")
    return Tree(commit, _CHECKOUT / "src")


@contextmanager
def tree_of(commit: str, folder: Path, *, checkout: Path = _CHECKOUT) -> Iterator[Tree]:
    """The sources of a commit, below ``folder`` while the block runs.

    Raises:
        CannotCompare: there is no such commit, or it has no server.
    """
    full = _git(checkout, "rev-parse", "--verify", "--end-of-options", f"{commit}^0")
    if full is None:
        raise CannotCompare(f"git knows no commit {commit!r} here.")
    short = full[:_SHORT]
    with TemporaryDirectory(prefix="tree-", dir=folder) as within:
        packed = Path(within) / "tree.tar"
        # Not ``git worktree add``, which leaves a record in .git when it is killed.
        if _git(checkout, "archive", f"--output={packed}", full) is None:
            raise CannotCompare(f"git does not give the files of {short}.")
        with tarfile.open(packed) as archive:
            _extract(archive, within)
        source = Path(within).resolve() / "src"
        if not (source / "chatapp" / "__main__.py").exists():
            raise CannotCompare(f"The commit {short} has no server: no src/chatapp.")
        yield Tree(short, source)


def _extract(archive: tarfile.TarFile, folder: str) -> None:
    """Unpack what git has packed; safely, where this Python knows how (PEP 706)."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)  # noqa: S202  # git wrote it, from this checkout


def _git(checkout: Path, *arguments: str) -> str | None:
    """What git says there; None if it fails."""
    with signals_held_back():  # or it would be left behind, when it is interrupted
        done = subprocess.run(  # noqa: S603  # with words of ours
            ["git", "-C", checkout, *arguments],  # noqa: S607  # the user's git
            capture_output=True,
            text=True,
            check=False,
        )
    return None if done.returncode else done.stdout.strip()
