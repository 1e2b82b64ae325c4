"""Runs the core's unit tests on each CPython of this machine, with nothing installed.

It looks for interpreters from 3.11 on in PATH, in pyenv's folder and in /usr/bin, and
starts each one isolated and without site-packages (``-I -S``), so that only the
standard library and ``src`` are there. It prints a line for each, and fails when one
fails, skips a test, finds no test, or when there is no interpreter.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "unit" / "chatcore"
OLDEST = (3, 11)
PYTHON_NAME = re.compile(r"python3\.(\d+)(\.exe)?")
DESCRIBE = (
    "import sys; print(sys.executable, sys.implementation.name, *sys.version_info[:3])"
)


class Interpreter(NamedTuple):
    """One CPython: where it is, and its version."""

    path: Path
    version: tuple[int, int, int]


def folders() -> Iterator[Path]:
    """Where interpreters may be."""
    yield Path(sys.executable).parent
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(entry)
    yield Path("/usr/bin")
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        answer = subprocess.run(
            [pyenv, "root"], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            yield from Path(answer.stdout.strip()).glob("versions/*/bin")


def described(command: Path) -> Interpreter | None:
    """What this command starts; None when that is no CPython that we support."""
    try:
        answer = subprocess.run(
            [command, "-I", "-S", "-c", DESCRIBE],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:  # a shim of pyenv for a version that is not chosen
        return None
    path, implementation, major, minor, patch = answer.stdout.rsplit(maxsplit=4)
    version = (int(major), int(minor), int(patch))
    if implementation != "cpython" or version < OLDEST:
        return None
    return Interpreter(Path(path).resolve(), version)


def interpreters() -> list[Interpreter]:
    """Every interpreter that was found, oldest first, each one once."""
    found: set[Interpreter] = set()
    for folder in folders():
        if not folder.is_dir():
            continue
        for command in folder.iterdir():
            name = PYTHON_NAME.fullmatch(command.name)
            if name is None or int(name[1]) < OLDEST[1]:
                continue
            interpreter = described(command)
            if interpreter is not None:
                found.add(interpreter)
    return sorted(found, key=lambda it: (it.version, it.path))


def run_here() -> int:
    """Run the tests in this interpreter; 0 when all of them ran and passed."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    suite = unittest.TestLoader().discover(str(TESTS), top_level_dir=str(ROOT))
    result = unittest.TextTestRunner(verbosity=0, warnings="error").run(suite)
    if result.testsRun == 0:
        print(f"there are no tests in {TESTS}")
    passed = result.wasSuccessful() and result.testsRun > 0 and not result.skipped
    return 0 if passed else 1


def run_on(interpreter: Interpreter) -> bool:
    """Run the tests in that interpreter and print a line; whether they passed."""
    done = subprocess.run(
        [interpreter.path, "-I", "-S", "-B", Path(__file__).resolve(), "--here"],
        capture_output=True,
        text=True,
        check=False,
    )
    ran = re.findall(r"^Ran (\d+) tests?", done.stderr, re.MULTILINE)
    passed = done.returncode == 0
    version = ".".join(map(str, interpreter.version))
    print(
        f"CPython {version} ({interpreter.path}): "
        f"{ran[-1] if ran else 'no'} tests, {'passed' if passed else 'FAILED'}",
        flush=True,
    )
    if not passed:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    return passed


def main() -> int:
    """Run the tests on every interpreter, or with ``--here`` in this one only."""
    if sys.argv[1:] == ["--here"]:
        return run_here()
    found = interpreters()
    if not found:
        print("core tests: there is no CPython from 3.11 on here", file=sys.stderr)
        return 1
    outcomes = [run_on(interpreter) for interpreter in found]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
