"""Builds the wheels, looks into them, and runs what they install.

They may hold our packages (Python, ``py.typed`` and ``.sql`` files, the sample of the
demo, the files of the page) and the licence, nothing else; each package must be typed.
That of chatcore is then installed in a fresh virtual environment, where ``chatcore
--version`` must print the version of pyproject.toml and ``import chattesting`` do
without pytest, which is not there. With the extra ``testing`` it is, and must find our
plug-in. ``chatcore bench`` must name what brings it, and be there once the wheel of
``benchmarks/`` is installed. The page's module of the browser client must be that of
``clients/js``.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METADATA = re.compile(
    r"chatcore(_bench)?-[^/]+\.dist-info/"
    r"(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)


class Distribution:
    """One of ours: its folder, and what else than modules may be in its packages."""

    def __init__(self, folder: Path, *, data: str = "") -> None:
        self.folder = folder
        self._sources = folder / "src"
        self._packages = sorted(
            it.parent.name for it in self._sources.glob("*/__init__.py")
        )
        modules = rf"({'|'.join(self._packages)})/(.+\.(py|pyi|sql)|py\.typed)"
        self._ours = re.compile(f"{modules}|{data}" if data else modules)

    def build(self, uv: str, out: Path) -> Path:
        """Its wheel, below a folder."""
        below = out / self.folder.name
        subprocess.run(
            [uv, "build", "--quiet", "--wheel", "--out-dir", below, self.folder],
            check=True,
        )
        (wheel,) = below.glob("*.whl")
        return wheel

    def faults(self, names: list[str]) -> list[str]:
        """What its wheel has or lacks, by the names of its files."""
        faults = [f"{it} does not belong there" for it in self._strangers(names)]
        return faults + [f"{it} is missing" for it in self._absentees(names)]

    def _strangers(self, names: list[str]) -> list[str]:
        ours = [self._ours, METADATA]
        return [it for it in names if not any(each.fullmatch(it) for each in ours)]

    def _absentees(self, names: list[str]) -> list[str]:
        wanted = [f"{package}/py.typed" for package in self._packages]
        wanted += [
            path.relative_to(self._sources).as_posix()
            for pattern in ("*.py", "*.pyi", "*.sql", "page/files/*")
            for path in sorted(self._sources.rglob(pattern))
        ]
        missing = [name for name in wanted if name not in names]
        if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
            missing.append("LICENSE")
        return missing


CHATCORE = Distribution(
    ROOT,
    data=r"chatapp/conversations/(LICENSE|conversations\.json)"
    r"|chatapp/page/files/[a-z_]+\.(html|css|js|svg)",
)
BENCH = Distribution(ROOT / "benchmarks")


CLIENT = ROOT / "clients" / "js" / "chatcore.js"
PAGE = """\
import hashlib
from chatapp.page import ChatPage, path_of
ChatPage("open")
print(hashlib.sha256(path_of("chatcore.js").read_bytes()).hexdigest())
"""
WITHOUT_PYTEST = """\
import chatcore, chattesting, importlib.util
print(chattesting.open_chat.__name__, importlib.util.find_spec("pytest"))
"""
WITH_PYTEST = """\
import chatapp, chatcore, chatidentities, chatstores, chatsystem
import chattesting, chatwebhooks, transports
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

    def __init__(self, uv: str, wheel: Path, bench: Path, folder: Path) -> None:
        venv = folder / "venv"
        self._uv = uv
        self._wheel = wheel
        self._bench = bench
        self._folder = folder
        self._programs = venv / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([uv, "venv", "--quiet", venv], check=True)
        self._install(wheel)

    def _install(self, *wanted: Path | str) -> None:
        python = self._programs / "python"
        subprocess.run(
            [self._uv, "pip", "install", "--quiet", "--python", python, *wanted],
            check=True,
        )

    def _output(self, program: str, *arguments: str) -> str:
        ended = subprocess.run(
            [self._programs / program, *arguments],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
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
        printed = self._output("chatcore", "bench", "--compare", "old", "new")
        if "pip install chatcore-bench" not in printed:
            faults.append(f"without the comparison, chatcore bench prints {printed!r}")
        printed = self._output("python", "-c", PAGE)
        if printed != hashlib.sha256(CLIENT.read_bytes()).hexdigest():
            faults.append(f"the page's module is not {CLIENT.name}, but {printed!r}")
        self._install(f"{self._wheel}[testing]", self._bench)
        printed = self._output("chatcore", "bench", "--compare", "old", "new")
        if "cannot be read as results" not in printed:
            faults.append(f"with the comparison, chatcore bench prints {printed!r}")
        (self._folder / "test_it.py").write_text(A_TEST, encoding="utf-8")
        (self._folder / "pytest.ini").write_text(INI, encoding="utf-8")
        # pytest warns of what a plug-in's distribution has and is imported already.
        printed = self._output("python", "-c", WITH_PYTEST)
        if "\n1 passed in" not in printed:
            faults.append(f"a test with our plug-in prints {printed!r}")
        return faults


def main() -> int:
    """Check the wheels; 1 with a line for each fault. The argument is uv's path."""
    uv = sys.argv[1] if sys.argv[1:] else "uv"
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        faults: list[str] = []
        count = 0
        wheels: dict[Distribution, Path] = {}
        for distribution in (CHATCORE, BENCH):
            wheel = distribution.build(uv, folder)
            with zipfile.ZipFile(wheel) as archive:
                names = archive.namelist()
            faults += [f"{wheel.name}: {it}" for it in distribution.faults(names)]
            count += len(names)
            wheels[distribution] = wheel
        installed = Installed(uv, wheels[CHATCORE], wheels[BENCH], folder)
        faults += installed.faults(version)
    for fault in faults:
        print(f"wheel: {fault}", file=sys.stderr)
    if not faults:
        print(f"wheels: {count} files of version {version}; installed, they work")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
