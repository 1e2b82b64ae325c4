"""What the terminal shows at the end of a run."""

from io import StringIO

from msgspec.structs import replace
from rich.console import Console

from chatbench.figures import of_one
from chatbench.plans import quick
from chatbench.results import Peer, Results
from chatbench.tables import print_results
from tests.unit.chatbench.synthetic import (
    results_of,
    synthetic_results,
    synthetic_samples,
)

COLUMNS = 100


def printed(results: Results) -> str:
    output = StringIO()
    print_results(results, Console(file=output, width=COLUMNS))
    return output.getvalue()


def test_a_run_fits_into_a_hundred_columns_without_cutting_anything() -> None:
    results = synthetic_results()

    text = printed(results)

    assert max(map(len, text.splitlines())) <= COLUMNS
    assert "…" not in text


def test_each_comparison_each_verdict_and_each_advice_is_shown() -> None:
    results = synthetic_results()

    text = " ".join(printed(results).split())

    for title in ("Transport against transport", "Codec against codec", "Twins"):
        assert title in text
    assert all(f'Claim: "{it.claim}"' in text for it in results.verdicts)
    assert all(it in text for it in results.advice)


def test_a_look_says_that_it_is_no_result() -> None:
    text = printed(synthetic_results(quick()))

    assert "A look, not a result: 3 rounds, no twins" in text
    assert "noise not measured" in text


def test_a_result_is_not_called_a_look() -> None:
    assert "A look" not in printed(synthetic_results())


def test_rows_are_marked() -> None:
    plan = quick()
    samples = synthetic_samples(plan.cells, seed=1, rounds=plan.rounds)
    samples[0].fault = "The server ended: [out of memory]"
    samples[2].others_share = 0.5
    for it in samples:
        if it.contestant == "grpc-protobuf-memory":
            it.generator_core_share = 0.9

    text = printed(results_of(plan, samples))

    assert "INVALID" in text
    assert "[out of memory]" in text
    assert "generator-bound" in text
    assert "1 disturbed" in text


def test_what_another_server_promises_is_told() -> None:
    peer = Peer(
        name="mosquitto", version="2.0", acknowledged=True, stored=True, synced=False
    )

    text = printed(replace(synthetic_results(quick()), peers=[peer]))

    assert "mosquitto 2.0 promises: acknowledged, stored" in text


def test_a_bound_beside_one_is_written_so_that_its_side_is_seen() -> None:
    assert [of_one(it) for it in (0.9979, 1.0, 1.002, 1.2)] == [
        "0.9979",
        "1.00",
        "1.0020",
        "1.20",
    ]
