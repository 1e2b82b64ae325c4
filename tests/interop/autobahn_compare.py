"""Two reports of Autobahn's fuzzing client side by side, case by case.

Exit status 1 when the first echo fails a case that the second one does not. Run from
the root, see docs/testing.md: ``python -m tests.interop.autobahn_compare OURS PLAIN``.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

PASSED: Final = {"OK", "NON-STRICT", "INFORMATIONAL"}
"""NON-STRICT is what the suite allows: where it sends an octet at a time, whether an
answer is out before the error is a matter of timing, and may differ from run to run."""


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """How a case went: the messages, and the way that the connection ended."""

    behavior: str
    behavior_close: str

    @property
    def has_failed(self) -> bool:
        return not {self.behavior, self.behavior_close} <= PASSED

    def __str__(self) -> str:
        return f"{self.behavior}, end {self.behavior_close}"


Report: TypeAlias = dict[str, Outcome]


def read_report(path: Path) -> Report:
    """The outcomes by case; ``path`` is an ``index.json``, or a folder of some."""
    outcomes: Report = {}
    for index in [path] if path.is_file() else sorted(path.rglob("index.json")):
        agents = msgspec.json.decode(index.read_bytes(), type=dict[str, Report])
        for cases in agents.values():
            outcomes |= cases
    return outcomes


def rank(case: str) -> list[int]:
    """A case's place in the suite: 9.10 comes after 9.2."""
    return [int(number) for number in case.split(".")]


def compared(ours: Report, plain: Report) -> tuple[list[str], bool]:
    """Lines for people, and whether ours fails where the other does not."""
    lines = []
    for name, report in (("ours", ours), ("plain", plain)):
        counts = Counter(it.behavior for it in report.values()).most_common()
        lines.append(f"{name}: {len(report)} cases, {dict(counts)}")
    is_worse = ours.keys() != plain.keys()
    for case in sorted(ours.keys() | plain.keys(), key=rank):
        here, there = ours.get(case), plain.get(case)
        if here is None or there is None:
            lines.append(f"{case}: ours {here}; plain {there}")
        elif here.has_failed or there.has_failed or here != there:
            is_worse |= here.has_failed and not there.has_failed
            lines.append(f"{case}: ours {here}; plain {there}")
    return lines, is_worse


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", type=Path, help="an outdir of the echo behind our link")
    parser.add_argument("plain", type=Path, help="an outdir of the echo --plain")
    asked = parser.parse_args()
    lines, is_worse = compared(read_report(asked.ours), read_report(asked.plain))
    sys.stdout.write("\n".join([*lines, ""]))
    return int(is_worse)


if __name__ == "__main__":
    sys.exit(main())
