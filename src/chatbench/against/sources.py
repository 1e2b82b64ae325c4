"""The two source trees: this one, and that of a commit in a folder of its own."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chatbench.errors import CannotCompare
from chatbench.machine import commit_of_source, git_says

_HERE: Final = Path(__file__).resolve().parents[2]
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
    return Tree(commit, _HERE)


@contextmanager
def tree_of(commit: str, folder: Path) -> Iterator[Tree]:
    """The sources of a commit, below ``folder`` while the block runs.

    Raises:
        CannotCompare: there is no such commit, or it has no server.
    """
    found = git_says(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"
    )
    if found is None:
        raise CannotCompare(f"git knows no commit {commit!r} here.")
    short = found[:_SHORT]
    with TemporaryDirectory(prefix="tree-", dir=folder) as within:
        _extract(found, Path(within))
        source = Path(within).resolve() / "src"
        if not (source / "chatapp" / "__main__.py").exists():
            raise CannotCompare(f"The commit {short} has no server: no src/chatapp.")
        yield Tree(short, source)


def _extract(commit: str, folder: Path) -> None:
    """Put the tree of a commit into a folder."""
    packed = folder / "tree.tar"
    try:
        subprocess.run(  # noqa: S603  # a commit's hash and a path of ours
            ["git", "-C", _HERE.parent, "archive", "--output", packed, commit],  # noqa: S607  # the user's git
            capture_output=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise CannotCompare(f"git does not give {commit[:_SHORT]}: {said}.") from error
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    packed.unlink()
