"""Guards proto/: `buf lint`, and `buf breaking` against the schema before its change.

That is the schema of the last commit while the working tree has another one, and else
the one before the last commit that changed it: so in a fresh clone the newest change is
always judged, however many commits follow it. The earlier schema is taken out of git
here, so that buf needs neither git nor a network. Without an earlier schema (no
history, a shallow clone, the first version) it says so and has nothing to compare.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = "proto"
BUF: Final = str(Path(sys.executable).with_name("buf"))


def git(*arguments: str) -> bytes:
    """What git prints; nothing where there is no such thing, or no git."""
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607  # wherever this machine has it
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return b""
    return done.stdout if done.returncode == 0 else b""


def earlier() -> str:
    """The commit that has the schema before its change; empty when there is none."""
    if git("status", "--porcelain", "--", SCHEMA):
        commit = "HEAD"
    else:
        changed = git("rev-list", "--max-count=1", "HEAD", "--", SCHEMA).decode()
        commit = f"{changed.strip()}~1" if changed else "HEAD"
    has_it = git("ls-tree", "-r", "--name-only", commit, "--", SCHEMA)
    return commit if has_it else ""


def take_out(commit: str, folder: Path) -> None:
    """Write the schema of a commit below a folder, with the buf.yaml of now."""
    names = git("ls-tree", "-r", "--name-only", commit, "--", SCHEMA).decode()
    for name in names.splitlines():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(git("show", f"{commit}:{name}"))
    (folder / "buf.yaml").write_bytes((ROOT / "buf.yaml").read_bytes())


def main() -> int:
    """Lint and compare; 1 when buf finds something, which it has printed."""
    if subprocess.run([BUF, "lint"], cwd=ROOT, check=False).returncode:
        return 1
    commit = earlier()
    if not commit:
        print("schema: lint is clean; no earlier schema to compare with")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        take_out(commit, Path(folder))
        compared = subprocess.run(
            [BUF, "breaking", "--against", folder], cwd=ROOT, check=False
        )
    if compared.returncode:
        print(f"schema: breaks peers that speak it as of {commit}", file=sys.stderr)
        return 1
    print(f"schema: lint is clean, and nothing breaks since {commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
