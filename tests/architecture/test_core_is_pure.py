"""The core stands on the standard library and touches nothing outside itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
CORE = sorted((SRC / "chatcore").rglob("*.py"))

IO_MODULES = {
    "_socket",
    "_sqlite3",
    "_ssl",
    "asyncio",
    "concurrent.futures",
    "http",
    "logging",
    "multiprocessing",
    "queue",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "urllib.request",
    "uuid",
}
LOAD_ALL = """\
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
for name in sys.argv[2:]:
    __import__(name)
print(*set(sys.modules) - before, sep="\\n")
"""


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case _:
                pass


def module_name(path: Path) -> str:
    """``chatcore.ids`` for its file."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def loaded_with(*modules: str) -> set[str]:
    """What a bare interpreter has loaded after these, and had not before."""
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOAD_ALL, str(SRC), *modules],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_a_core_module_imports_only_the_standard_library_and_the_core(
    path: Path,
) -> None:
    allowed = sys.stdlib_module_names | {"chatcore"}

    strangers = set(imported(path)) - allowed

    assert strangers == set()


def test_importing_chatcore_loads_no_module_that_does_input_or_output() -> None:
    loaded = loaded_with("chatcore")

    assert "chatcore" in loaded
    assert loaded & IO_MODULES == set()


def test_importing_all_of_the_core_loads_no_module_that_does_input_or_output() -> None:
    names = [module_name(path) for path in CORE]

    loaded = loaded_with(*names)

    assert set(names) <= loaded
    assert loaded & IO_MODULES == set()
