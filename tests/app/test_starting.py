"""Each command starts from nothing: it cannot lean on what another one imports."""

import subprocess
import sys

import pytest

from chatapp.commands import COMMANDS
from tests.app.processes import PATIENCE_S, environment


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_command_imports_by_itself_all_that_it_runs_on(command: str) -> None:
    code = "from chatapp.commands import COMMANDS; "
    code += f"asked = COMMANDS[{command!r}]; asked.load_settings(); asked.load_run()"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=PATIENCE_S,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
