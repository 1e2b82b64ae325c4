"""What ``from chatcore import …`` offers: names, their types, where they live."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chatcore
from scripts.public_api import SNAPSHOT, describe

HOME_OF: dict[str, str] = vars(chatcore)["_HOME_OF"]
STUB = Path(chatcore.__file__).with_suffix(".pyi")
EXAMPLES = sorted(
    it
    for it in (Path(__file__).parents[2] / "examples").rglob("*.py")
    if it.name != "notified.py"  # another application, which is told by HTTP
)


def stubbed() -> dict[str, str]:
    """By each name of the stub the module that it takes it from."""
    return {
        str(alias.asname): str(node.module)
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_stub_has_each_name_from_the_module_that_it_comes_from() -> None:
    assert stubbed() == HOME_OF
    assert sorted(stubbed()) == sorted(chatcore.__all__)


@pytest.mark.parametrize("name", chatcore.__all__)
def test_a_name_is_what_its_module_has(name: str) -> None:
    found = getattr(chatcore, name)

    assert found is getattr(sys.modules[HOME_OF[name]], name)


def test_a_name_that_there_is_not_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        getattr(chatcore, "conect")  # noqa: B009  # mypy knows that there is none


@pytest.mark.parametrize(
    ("hiding", "name"),
    [("chatstores.py", "open_store"), ("transports/__init__.py", "connect")],
)
def test_a_package_that_hides_ours_is_named(
    hiding: str, name: str, tmp_path: Path
) -> None:
    other = tmp_path / hiding
    other.parent.mkdir(exist_ok=True)
    other.write_text("", encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-c", f"from chatcore import {name}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert str(other) in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda it: it.stem)
def test_an_example_imports_from_nowhere_deeper(path: Path) -> None:
    ours = {"chatcore", "chatidentities", "chatstores", "chatsystem", "transports"}
    tree = ast.parse(path.read_text(encoding="utf-8"))

    modules = {
        str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }

    assert {it for it in modules if it.partition(".")[0] in ours} == {"chatcore"}


def test_the_public_names_and_signatures_are_those_that_were_agreed_on() -> None:
    agreed = SNAPSHOT.read_text(encoding="utf-8")

    # A change that is meant: run scripts/public_api.py, and tell it in CHANGELOG.md.
    assert describe() == agreed
