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
    """Each requirement of both packages, their extras and the development group."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    with (ROOT / "benchmarks" / "pyproject.toml").open("rb") as file:
        bench = tomllib.load(file)["project"]
    project = settings["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *settings["dependency-groups"].values(),
        bench["dependencies"],
    ]
    ours = {project["name"], bench["name"]}
    requirements = [Requirement(line) for lines in lists for line in lines]
    return [it for it in requirements if it.name not in ours]


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


def development() -> dict[str, Requirement]:
    """The development group, by name."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        group = tomllib.load(file)["dependency-groups"]["dev"]
    return {it.name: it for it in map(Requirement, group)}


def test_pipenv_installs_what_the_project_declares() -> None:
    with (ROOT / "Pipfile").open("rb") as file:
        pipfile = tomllib.load(file)

    installed = pipfile["dev-packages"].items()

    assert pipfile["packages"] == {
        "chatcore": {"path": ".", "editable": True},
        "chatcore-bench": {"path": "./benchmarks", "editable": True},
    }
    assert {Requirement(f"{name}{wanted}") for name, wanted in installed} <= set(
        development().values()
    )


def test_conda_and_pipenv_install_the_same() -> None:
    with (ROOT / "Pipfile").open("rb") as file:
        pipenv = tomllib.load(file)["dev-packages"]
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")

    chatcore, bench, *installed = re.findall(r"^      - (.+)$", conda, re.MULTILINE)

    assert chatcore == "--editable ."
    assert bench == "--editable ./benchmarks"
    assert installed == [f"{name}{wanted}" for name, wanted in pipenv.items()]
