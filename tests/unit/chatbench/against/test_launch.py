"""A server's process imports the tree that it is told to, or ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from chatbench.against import launch

SPINNING = """
import asyncio, sys, time

async def work():
    until_s = time.process_time() + 0.05
    while time.process_time() < until_s:
        pass
    await asyncio.sleep(0)

began_s = time.process_time()
asyncio.run(work())
print(time.process_time() - began_s)
"""


def tree(folder: Path, package: str, main: str) -> Path:
    """A source tree with a package, and with a command."""
    source = folder / "src"
    for name in (package, "chatapp"):
        (source / name).mkdir(parents=True)
        (source / name / "__init__.py").touch()
    (source / "chatapp" / "__main__.py").write_text(main)
    return source


def launched(
    source: Path, *words: str, share: float = 0
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", launch.__file__, str(source), str(share), *words]
    return subprocess.run(  # a program of ours
        command, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_tree_wins_over_what_is_installed(tmp_path: Path) -> None:
    main = "import sys, chatcore; print(chatcore.__file__, *sys.argv[1:])"
    source = tree(tmp_path, "chatcore", main)

    done = launched(source, "serve", "--port", "0")

    assert done.stderr == ""
    assert done.stdout.split() == [
        str(source / "chatcore" / "__init__.py"),
        *("serve", "--port", "0"),
    ]


def test_a_package_that_comes_from_elsewhere_ends_it(tmp_path: Path) -> None:
    # Nobody can shadow what the interpreter has loaded already.
    source = tree(tmp_path, "asyncio", "print('served')")

    done = launched(source, "serve")

    assert done.returncode == launch.ELSEWHERE
    assert done.stdout == ""
    assert done.stderr == f"asyncio would not be imported from {source}\n"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_planted_share_is_burned_once_more(tmp_path: Path, share: float) -> None:
    source = tree(tmp_path, "chatcore", SPINNING)

    done = launched(source, "serve", share=share)

    # The loop's first turn burns its share of the start too: never less than planted.
    least_s = 0.05 * (1 + share)
    assert done.stderr == ""
    assert float(done.stdout) >= least_s
    assert share or float(done.stdout) < 2 * least_s
