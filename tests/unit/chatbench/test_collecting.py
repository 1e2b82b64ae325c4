"""results.json as a whole, from samples."""

import random
from pathlib import Path

import msgspec
from msgspec.structs import replace

from chatbench.collecting import RunRecord, gather, judge
from chatbench.machine import Cores, describe_machine
from chatbench.plans import Plan, quick
from chatbench.results import VERSION, Results
from chatbench.rounds import RunContext
from chatbench.samples import Sample
from tests.unit.chatbench.synthetic import synthetic_results


def samples_of(plan: Plan) -> list[Sample]:
    """Of each round of each cell, a little apart."""
    lots = random.Random(1)  # noqa: S311  # figures, no secret
    return [
        Sample(
            contestant=cell.contestant.name,
            workload=cell.workload.label,
            round=number,
            messages=1_000,
            throughput_per_s=lots.gauss(10_000.0, 100.0),
            server_cpu_us_per_message=lots.gauss(20.0, 0.2),
            generator_core_share=0.5,
        )
        for number in range(plan.rounds)
        for cell in plan.cells
    ]


def test_results_have_all_of_a_run_and_survive_being_written(tmp_path: Path) -> None:
    plan, cores = quick(), Cores(None, None)
    samples = samples_of(plan)
    course = RunRecord(
        command="chatcore bench --quick",
        commit="0123456789",
        began_at="2026-11-22T22:00:00+00:00",
        seconds=90.04,
        seed=7,
        machine=describe_machine(cores),
        settings={"tcp": "as it comes"},
    )

    results = gather(
        plan, samples, course, RunContext(cores=cores, folder=tmp_path, seed=7)
    )

    written = msgspec.json.encode(results)
    assert msgspec.json.decode(written, type=Results) == results
    assert (results.version, results.plan, results.is_result) == (
        VERSION,
        "quick",
        False,
    )
    assert len(results.results) == len(plan.cells)
    assert all(it.valid for it in results.results)
    assert results.samples == samples
    assert results.ratios
    assert results.verdicts
    assert set(results.source_lines) == {"tcp", "websocket", "grpc"}
    assert results.peers == []
    assert results.codec_us_per_message == {}  # a look does not measure them alone


def test_judging_a_run_again_gives_the_same_from_its_samples_alone() -> None:
    results = synthetic_results()
    asked = replace(results, ratios=[], verdicts=[], advice=[])

    judged = judge(asked)

    assert judged == judge(results)
    assert judged.ratios
    assert judged.advice
