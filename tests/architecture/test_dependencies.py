"""What pyproject.toml declares is locked with hashes, and has its reason."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock.txt").read_text(encoding="utf-8")
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}


def declared() -> list[Requirement]:
    """Each requirement of the package, its extras and its development group."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    project = settings["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *settings["dependency-groups"].values(),
    ]
    requirements = [Requirement(line) for lines in lists for line in lines]
    return [it for it in requirements if it.name != project["name"]]


@pytest.mark.parametrize("requirement", declared(), ids=lambda it: it.name)
def test_a_dependency_is_locked_at_a_version_that_it_allows(
    requirement: Requirement,
) -> None:
    name = canonicalize_name(requirement.name)

    assert name in LOCKED
    assert requirement.specifier.contains(LOCKED[name])


@pytest.mark.parametrize("requirement", declared(), ids=lambda it: it.name)
def test_a_dependency_has_its_reason_in_the_guide(requirement: Requirement) -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("| `")]

    assert any(f"`{requirement.name}`" in row for row in rows)


def test_every_locked_version_has_a_hash() -> None:
    entries = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)[1:]

    bare = [entry for entry in entries if "--hash=sha256:" not in entry]

    assert entries
    assert bare == []


def test_the_locked_list_names_no_host_and_no_path() -> None:
    assert re.findall(r"://|@ |^-|file:|/", LOCK, re.MULTILINE) == []
