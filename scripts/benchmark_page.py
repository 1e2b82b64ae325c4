"""Writes the figures of docs/benchmarks.md, and the schema of results.json.

The figures come from the run that is published in benchmarks/results/standard.json, the
schema from ``chatbench.results``. ``--publish RESULTS`` puts another run there, judged
anew from its samples, and draws its report. ``--check`` changes nothing and fails when
page or schema are not what would be written now.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from chatbench.collecting import judge
from chatbench.command import read_results
from chatbench.figures import interval, measure_name, number, of_one
from chatbench.measures import CPU, P50, SESSION_BYTES, THROUGHPUT, WIRE_BYTES
from chatbench.report import write_report
from chatbench.results import Ratio, Result, Results
from chatbench.tables import TITLES

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
RUN: Final = ROOT / "benchmarks" / "results" / "standard.json"
REPORT: Final = ROOT / "docs" / "benchmarks" / "report.html"
SCHEMA: Final = ROOT / "benchmarks" / "results.schema.json"
_START: Final = "<!-- run: written by scripts/benchmark_page.py -->\n"
_END: Final = "<!-- end of run -->"
_MAIN: Final = ("rtt", "throughput-8x16")


def about(run: Results) -> Iterable[str]:
    """Where and when."""
    machine = run.machine
    versions = ", ".join(f"{name} {it}" for name, it in machine.versions.items())
    pinned = "a core each" if machine.pinned else "not pinned"
    yield (
        f"`{run.command}`, commit `{run.commit}`, {run.began_at}, {run.rounds} rounds, "
        f"{run.seconds / 60:.0f} minutes, seed {run.seed}. {machine.cpu}, "
        f"{machine.cores} cores (server and load: {pinned}), {machine.system}. "
        f"{versions}."
    )
    disturbed = sum(sample.is_disturbed for sample in run.samples)
    failed = sum(not sample.is_valid for sample in run.samples)
    yield ""
    yield (
        f"{len(run.samples)} rounds of cells, {failed} of them invalid, {disturbed} "
        "disturbed; "
        f"{sum(sample.messages for sample in run.samples):,} messages measured, "
        f"{sum(result.lost for result in run.results)} lost, "
        f"{sum(result.duplicated for result in run.results)} duplicated, "
        f"{sum(result.out_of_order for result in run.results)} out of order."
    )


def main_grid(results: Iterable[Result]) -> Iterable[str]:
    """A row for each contestant of the main grid, without twins."""
    yield (
        "| | load | server CPU a message, µs | messages/s | p50, µs | p99, µs "
        "| bytes up | bytes down |"
    )
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for row in results:
        if row.label not in _MAIN or row.contestant.endswith("'"):
            continue
        latency, wire = row.latency_us, row.wire_bytes_per_message
        mark = "" if row.valid else " **invalid**"
        bound = " †" if row.generator_bound else ""
        yield (
            f"| {row.contestant}{mark} | {row.label} "
            f"| {number(row.server_cpu_us_per_message)} "
            f"| {number(row.throughput_per_s)}{bound} "
            f"| {number(latency.p50 if latency else None)}{bound} "
            f"| {number(latency.p99 if latency else None)}{bound} "
            f"| {number(wire.up if wire else None)} "
            f"| {number(wire.down if wire else None)} |"
        )
    yield ""
    yield "† generator bound: shown, and not compared."


def is_shown(ratio: Ratio) -> bool:
    """Whether a ratio is for the page; the report has them all."""
    if ratio.ratio is None or ratio.table == "twins":
        return False
    if ratio.label in _MAIN:
        return ratio.measure in {CPU, THROUGHPUT, P50, WIRE_BYTES}
    if ratio.table != "transports":
        return False
    is_open = ratio.label.startswith("rate")
    return ratio.measure in {THROUGHPUT, SESSION_BYTES, P50 if is_open else CPU}


def comparison(name: str, ratios: Iterable[Ratio]) -> Iterable[str]:
    """A row for each ratio of one table that is for the page."""
    rows = [it for it in ratios if it.table == name and is_shown(it)]
    if not rows:
        return
    yield ""
    yield f"### {TITLES[name]}"
    yield ""
    yield "| load | measure | | ratio | 95 % interval with noise | |"
    yield "|---|---|---|---:|---|---|"
    for it in rows:
        yield (
            f"| {it.label} | {measure_name(it.measure)} "
            f"| {it.of} / {it.to} | {of_one(it.ratio)} "
            f"| {interval(it.low, it.high)} | {it.finding} |"
        )


def section(run: Results) -> Iterable[str]:
    """All that stands between the two comments of the page."""
    yield from about(run)
    yield ""
    yield from main_grid(run.results)
    yield ""
    yield "### What it says of five claims"
    yield ""
    for verdict in run.verdicts:
        yield f"- **{verdict.claim}** ({verdict.reading}): {verdict.verdict}. "
        yield f"  {verdict.figures}"
    yield ""
    yield "### Advice"
    yield ""
    for advice in run.advice:
        yield f"- {advice}"
    for name in TITLES:
        yield from comparison(name, run.ratios)


def replaced(page: str, lines: Iterable[str]) -> str:
    """The page with another section.

    Raises:
        SystemExit: the page has no place for it.
    """
    before, found, rest = page.partition(_START)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        sys.exit(f"benchmark_page: {PAGE.name} has no place for the figures")
    return before + _START + "\n" + "\n".join(lines) + "\n\n" + _END + after


def publish(path: Path) -> None:
    """Put the run of this results.json in the place of the published one.

    The histograms of single rounds are left out, which are over half of the file; those
    of a row's rounds together stay.
    """
    run = judge(read_results(path))
    for sample in run.samples:
        sample.latency_histogram = sample.receipt_histogram = None
    RUN.parent.mkdir(parents=True, exist_ok=True)
    RUN.write_bytes(msgspec.json.encode(run) + b"\n")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    write_report(run, REPORT)


def main() -> int:
    """Write both, or with ``--check`` compare them; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--publish", type=Path, metavar="RESULTS")
    asked = parser.parse_args()
    only_check = asked.check
    if asked.publish is not None:
        publish(asked.publish)

    run = read_results(RUN)
    page = replaced(PAGE.read_text(encoding="utf-8"), section(run))
    schema = json.dumps(msgspec.json.schema(Results), indent=1) + "\n"
    stale = []
    for path, wanted in ((PAGE, page), (SCHEMA, schema)):
        if not only_check:
            path.write_text(wanted, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != wanted:
            stale.append(path.relative_to(ROOT).as_posix())
    for name in stale:
        print(f"{name} is stale: run scripts/benchmark_page.py", file=sys.stderr)
    print(f"benchmark_page: {len(run.results)} results, {len(run.ratios)} ratios")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
