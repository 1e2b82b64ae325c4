"""Builds the wheel, looks into it, and runs what it installs.

It may hold our packages (Python, ``py.typed`` and ``.sql`` files, the sample of the
demo) and the licence, nothing else; each package must be typed. The wheel is then
installed in a fresh virtual environment, where ``chatcore --version`` must print the
version of pyproject.toml and ``import chattesting`` do without pytest, which is not
there. With the extra ``testing`` it is, and must find our plug-in.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "chatapp",
    "chatbench",
    "chatcore",
    "chatstores",
    "chatsystem",
    "chattesting",
    "transports",
)
OURS = re.compile(
    rf"({'|'.join(PACKAGES)})/(.+\.(py|pyi|sql)|py\.typed)"
    r"|chatbench/conversations/(LICENSE|conversations\.json)"
)
METADATA = re.compile(
    r"chatcore-[^/]+\.dist-info/"
    r"(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)


def strangers(names: list[str]) -> list[str]:
    """The files of a wheel that have no business there."""
    return [it for it in names if not OURS.fullmatch(it) and not METADATA.fullmatch(it)]


def absentees(names: list[str]) -> list[str]:
    """What a wheel should have and has not."""
    wanted = [f"{package}/py.typed" for package in PACKAGES]
    wanted += [
        path.relative_to(ROOT / "src").as_posix()
        for pattern in ("*.py", "*.pyi", "*.sql")
        for path in sorted((ROOT / "src").rglob(pattern))
    ]
    missing = [name for name in wanted if name not in names]
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        missing.append("LICENSE")
    return missing


WITHOUT_PYTEST = """\
import chatcore, chattesting, importlib.util
print(chattesting.open_chat.__name__, importlib.util.find_spec("pytest"))
"""
WITH_PYTEST = """\
import chatapp, chatbench, chatcore, chatstores, chatsystem, chattesting, transports
import pytest
pytest.main(["-q", "-W", "error", "test_it.py"])
"""
A_TEST = """\
import pytest

@pytest.mark.asyncio
async def test_it(client):
    ada = await client("ada")
    assert (await ada.send("ada", "note")).position == 1
"""
INI = """\
[pytest]
asyncio_default_fixture_loop_scope = function
"""


class Installed:
    """The wheel in a virtual environment of its own, in a folder without sources."""

    def __init__(self, uv: str, wheel: Path, folder: Path) -> None:
        venv = folder / "venv"
        self._uv = uv
        self._wheel = wheel
        self._folder = folder
        self._programs = venv / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([uv, "venv", "--quiet", venv], check=True)
        self._install("")

    def _install(self, extra: str) -> None:
        python = self._programs / "python"
        wanted = f"{self._wheel}{extra}"
        subprocess.run(
            [self._uv, "pip", "install", "--quiet", "--python", python, wanted],
            check=True,
        )

    def _output(self, program: str, *arguments: str) -> str:
        ended = subprocess.run(
            [self._programs / program, *arguments],
            check=False,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self._folder,  # not where src could be found
        )
        return ended.stdout.strip()

    def faults(self, version: str) -> list[str]:
        """What does not do as it should."""
        faults = []
        printed = self._output("chatcore", "--version")
        if version not in printed.split():
            faults.append(f"chatcore --version prints {printed!r}, not {version}")
        printed = self._output("python", "-c", WITHOUT_PYTEST)
        if printed != "open_chat None":
            faults.append(f"without pytest, chattesting prints {printed!r}")
        self._install("[testing]")
        (self._folder / "test_it.py").write_text(A_TEST, encoding="utf-8")
        (self._folder / "pytest.ini").write_text(INI, encoding="utf-8")
        # pytest warns of what a plug-in's distribution has and is imported already.
        printed = self._output("python", "-c", WITH_PYTEST)
        if "\n1 passed in" not in printed:
            faults.append(f"a test with our plug-in prints {printed!r}")
        return faults


def main() -> int:
    """Check the wheel; 1 with a line for each fault. The argument is uv's path."""
    uv = sys.argv[1] if sys.argv[1:] else "uv"
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True
        )
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
        faults = [f"{it} does not belong into the wheel" for it in strangers(names)]
        faults += [f"{it} is missing in the wheel" for it in absentees(names)]
        faults += Installed(uv, wheel, folder).faults(version)
    for fault in faults:
        print(f"wheel: {fault}", file=sys.stderr)
    if not faults:
        print(f"wheel: {len(names)} files of version {version}; installed, they work")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
