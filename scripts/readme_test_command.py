"""Prints the test command of README.md: the one line of its second ``sh`` block.

CI runs what this prints, so that what the README promises cannot drift from what is
tested.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
SH_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Print the command; 1 with a sentence when README.md has another shape."""
    blocks = SH_BLOCK.findall(README.read_text(encoding="utf-8"))
    wanted = 2
    if len(blocks) < wanted:
        print(
            f"README.md has {len(blocks)} `sh` blocks; the second is the test command",
            file=sys.stderr,
        )
        return 1
    lines = [line.strip() for line in blocks[1].splitlines()]
    commands = [line for line in lines if line and not line.startswith("#")]
    if len(commands) != 1 or "pytest" not in commands[0]:
        print(
            "README.md's second `sh` block is not one line that runs pytest: "
            f"{commands}",
            file=sys.stderr,
        )
        return 1
    print(commands[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
