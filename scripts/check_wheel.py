"""Builds the wheel, looks into it, and runs what it installs.

It may hold our packages (Python, ``py.typed`` and ``.sql`` files, the sample of the
demo) and the licence, nothing else; each package must be typed. The wheel is then
installed in a fresh virtual environment, where ``chatcore --version`` must print the
version of pyproject.toml.
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


def installed_version(uv: str, wheel: Path, folder: Path) -> str:
    """What ``chatcore --version`` prints where only the wheel is installed."""
    venv = folder / "venv"
    scripts = venv / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([uv, "venv", "--quiet", venv], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", scripts / "python", wheel],
        check=True,
    )
    answer = subprocess.run(
        [scripts / "chatcore", "--version"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,  # not where src could be found
    )
    return answer.stdout.strip()


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
        printed = installed_version(uv, wheel, folder)
    if version not in printed.split():
        faults.append(f"chatcore --version prints {printed!r}, not {version}")
    for fault in faults:
        print(f"wheel: {fault}", file=sys.stderr)
    if not faults:
        print(f"wheel: {len(names)} files; installed, it prints {printed!r}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
