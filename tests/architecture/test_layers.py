"""The layers of the design, as pyproject.toml states them for import-linter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
MOST_LINES = 450
FOLDERS = (SRC, ROOT / "benchmarks" / "src")
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.py")
    if "_generated" not in path.parts
)


def test_every_import_contract_is_kept() -> None:
    lint = "import sys; from importlinter.cli import lint_imports_command as lint; "
    lint += "lint(['--no-cache'])"

    done = subprocess.run(
        [sys.executable, "-c", lint],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_module_is_longer_than_one_can_read_at_once(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= MOST_LINES
