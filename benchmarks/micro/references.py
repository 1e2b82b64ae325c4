"""What each benchmark took when it was last agreed on, and who is dearer now.

Figures are in calibrations, so that they hold for builds of Python that differ in how
fast everything is. They still differ between minor versions, and between builds with
and without profile-guided optimization: each kind of build has references of its own,
and one without any is not judged.
"""

import json
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.micro.calibration import CALIBRATION

FILE: Final = Path(__file__).with_name("references.json")
TOLERANCE: Final = 0.10
_LIBRARIES: Final = ("apsw", "msgspec", "protobuf")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What one kind of build of Python took.

    Attributes:
        libraries: the versions that it was counted with.
        calibration: instructions of a call of the calibration.
        figures: those of the others, divided by that.
    """

    libraries: Mapping[str, str]
    calibration: float
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How counts compare with references; ``lines`` say it in words."""

    lines: list[str] = field(default_factory=list)
    is_dearer: bool = False


def kind_of_build() -> str:
    """This build of Python, as far as references are told apart."""
    optimized = "--enable-optimizations" in (
        sysconfig.get_config_var("CONFIG_ARGS") or ""
    )
    major, minor = sys.version_info[:2]
    return f"{major}.{minor}" + (" optimized" if optimized else "")


def references_of(counts: Mapping[str, float]) -> References:
    """What was counted, as references."""
    calibration = counts[CALIBRATION.name]
    return References(
        libraries={it: version(it) for it in _LIBRARIES},
        calibration=round(calibration),
        figures={
            name: round(count / calibration, 5)
            for name, count in counts.items()
            if name != CALIBRATION.name
        },
    )


def read_references(file: Path) -> dict[str, References]:
    """Those in a file, by kind of build; none where there is no file."""
    if not file.exists():
        return {}
    kinds = json.loads(file.read_text(encoding="utf-8"))
    return {kind: References(**it) for kind, it in kinds.items()}


def write_references(file: Path, references: Mapping[str, References]) -> None:
    """Replace the file."""
    kinds = {kind: asdict(it) for kind, it in sorted(references.items())}
    file.write_text(json.dumps(kinds, indent=1) + "\n", encoding="utf-8")


def judge(now: References, then: References, *, is_whole: bool) -> Judgement:
    """Compare; dearer is what costs over ``TOLERANCE`` more than it did.

    A benchmark without a reference counts as dearer, and so does, when ``is_whole``, a
    reference without a benchmark: the file has to be written anew.
    """
    lines: list[str] = []
    is_dearer = False
    for name, figure in now.figures.items():
        if name not in then.figures:
            lines.append(f"{name} has no reference")
            is_dearer = True
            continue
        change = figure / then.figures[name] - 1
        if abs(change) > TOLERANCE:
            word = "dearer" if change > 0 else "cheaper"
            lines.append(f"{name} is {abs(change):.0%} {word} than its reference")
            is_dearer |= change > 0
    if is_whole:
        for name in then.figures.keys() - now.figures.keys():
            lines.append(f"{name} has a reference and no benchmark")
            is_dearer = True
    for name, used in now.libraries.items():
        if lines and used != then.libraries.get(name):
            lines.append(f"{name} was {then.libraries.get(name)}, and is {used}")
    return Judgement(lines=lines, is_dearer=is_dearer)
