"""What the documents show runs as it stands there."""

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


def test_the_snippet_of_the_readme_runs_as_pasted() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)

    output = run("-c", snippet)

    assert output == "stored at position 1\nada says hello\n"


@pytest.mark.rule("A2")
def test_the_example_of_own_users_shows_what_it_says() -> None:
    output = run("examples/own_users.py")

    assert [line[:5] for line in output.splitlines()] == ["[202]", "[207]", "logge"]


@pytest.mark.rule("E1", "E2")
def test_the_example_of_a_policy_refuses_the_third_message() -> None:
    output = run("examples/send_policy.py")

    assert output.splitlines()[:2] == ["stored", "stored"]
    assert output.splitlines()[2].startswith("[9001] At most 2 messages a minute")
