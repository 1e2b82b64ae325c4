"""What the documents show runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> str:
    """The output of a Python program that has to end well, without a warning."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
    ).stdout


def snippet(beginning: str) -> str:
    """The block of Python of the readme that begins so."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (found,) = [it for it in blocks if it.startswith(beginning)]
    return found


def test_the_snippet_of_the_readme_runs_as_pasted() -> None:
    output = run("-c", snippet("import asyncio"))

    assert output == "stored at position 1\nada says hello\n"


def test_the_test_of_the_readme_passes_as_pasted(tmp_path: Path) -> None:
    (tmp_path / "test_pasted.py").write_text(snippet("async def test"), "utf-8")
    ini = "[pytest]\nasyncio_mode = auto\nfilterwarnings = error\n"
    ini += "asyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(ini, "utf-8")
    # Those of the suite's other plug-ins take seconds to import.
    plugins = ["-p", "chatcore", "-p", "asyncio", "-p", "no:cacheprovider"]

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )

    assert "\n1 passed in " in ended.stdout


def test_the_applications_of_the_readme_and_the_page_on_embedding_are_ones() -> None:
    page = (ROOT / "docs/embedding.md").read_text(encoding="utf-8")
    pasted, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    # That of the readme is the same without its imports.
    shown = "print(app.routes[-1].path)"

    output = run(
        "-c", "\n".join([pasted, shown, snippet("@asynccontextmanager"), shown])
    )

    assert output == "/api/chat\n" * 2


@pytest.mark.rule("A2")
def test_the_example_of_own_users_shows_what_it_says() -> None:
    output = run("examples/own_users.py")

    assert [line[:5] for line in output.splitlines()] == [
        "[212]",
        "[207]",
        "logge",
        "[212]",
    ]


@pytest.mark.rule("E1", "E2")
def test_the_example_of_a_policy_refuses_the_third_message() -> None:
    output = run("examples/send_policy.py")

    assert output.splitlines()[:2] == ["stored", "stored"]
    assert output.splitlines()[2].startswith("[9001] At most 2 messages a minute")
