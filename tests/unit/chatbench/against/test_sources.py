"""The sources of a commit are there while they are needed, and gone after it."""

import subprocess
from pathlib import Path

import pytest

from chatbench.against.sources import this_tree, tree_of
from chatbench.errors import CannotCompare

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(checkout: Path, *words: str) -> str:
    done = subprocess.run(  # with words of ours
        ["git", "-C", checkout, *AUTHOR, *words],  # noqa: S607  # the machine's git
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of two commits: before there was a server, and after."""
    folder = tmp_path / "checkout"
    (folder / "src" / "chatapp").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "README.md").write_text("soon")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "One")
    (folder / "src" / "chatapp" / "__main__.py").write_text("first")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Two")
    return folder


def test_a_commit_is_taken_and_not_what_was_changed_since(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "src" / "chatapp" / "__main__.py").write_text("changed")

    with tree_of("HEAD", tmp_path, checkout=checkout) as tree:
        text = (tree.source / "chatapp" / "__main__.py").read_text()

    assert text == "first"
    assert git(checkout, "rev-parse", "HEAD").startswith(tree.commit)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_whatever_ends_it(
    checkout: Path, tmp_path: Path, error: type[BaseException]
) -> None:
    with (
        pytest.raises(error),
        tree_of("HEAD", tmp_path, checkout=checkout) as tree,
    ):
        raise error

    assert not tree.source.exists()
    assert [it.name for it in tmp_path.iterdir()] == ["checkout"]
    assert git(checkout, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize("name", ["nobody", "--output=here", "HEAD:src", ""])
def test_what_is_no_commit_is_refused(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    with (
        pytest.raises(CannotCompare, match="git knows no commit"),
        tree_of(name, tmp_path, checkout=checkout),
    ):
        raise AssertionError


def test_a_commit_without_a_server_is_refused(checkout: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(CannotCompare, match="has no server"),
        tree_of("HEAD~1", tmp_path, checkout=checkout),
    ):
        raise AssertionError


def test_where_there_is_no_checkout_no_commit_is_known(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotCompare, match="git knows no commit"),
        tree_of("HEAD", tmp_path, checkout=tmp_path),
    ):
        raise AssertionError


def test_this_tree_is_the_one_that_runs() -> None:
    assert Path(__file__).is_relative_to(this_tree().source.parent)
