"""What is said of the five claims, and when nothing is."""

import pytest
from msgspec.structs import replace

from chatbench.plans import narrow, quick, standard
from chatbench.results import Results, SourceLines, Verdict
from chatbench.verdicts import (
    ABSENT,
    FASTER,
    FEWER,
    SAFER,
    SIMPLER,
    SMALLER,
    all_verdicts,
    judged,
)
from tests.unit.chatbench.synthetic import synthetic_results

BEGINNINGS = ("holds", "does not hold", "depends on ", "not settled by this")
CLAIMS = [FASTER, FEWER, SMALLER, SIMPLER, SAFER]


def of_claim(results: Results, claim: str) -> list[Verdict]:
    return [it for it in all_verdicts(results) if it.claim == claim]


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic_results()


def test_each_claim_has_a_verdict_that_begins_as_agreed(results: Results) -> None:
    verdicts = all_verdicts(results)

    assert list(dict.fromkeys(it.claim for it in verdicts)) == CLAIMS
    assert all(it.verdict.startswith(BEGINNINGS) for it in verdicts)
    assert all(it.figures for it in verdicts)


def test_the_first_four_are_judged_against_both_sockets(results: Results) -> None:
    for claim in CLAIMS[:4]:
        readings = " ".join(it.reading for it in of_claim(results, claim))

        assert "TCP" in readings
        assert "WebSocket" in readings


def test_a_dearer_grpc_does_not_outperform(results: Results) -> None:
    verdicts = of_claim(results, FASTER)

    assert {it.verdict for it in verdicts} == {"does not hold"}
    assert all(
        "throughput-8x16" in it.figures or "rtt" in it.figures for it in verdicts
    )
    assert all(" to " in it.figures and "noise" in it.figures for it in verdicts)


def test_a_claim_that_differs_by_store_depends_on_it() -> None:
    outcomes = [
        ("memory", "rtt", False),
        ("sqlite", "rtt", True),
        ("sqlite", "throughput", True),
    ]

    assert judged(outcomes) == "depends on the store: holds with SQLite"


def test_a_claim_that_differs_by_load_depends_on_it() -> None:
    outcomes = [
        ("memory", "rtt", False),
        ("memory", "throughput", True),
        ("sqlite", "rtt", False),
    ]

    assert judged(outcomes) == "depends on the load: holds under throughput"


def test_a_claim_that_differs_by_both_depends_on_both() -> None:
    outcomes = [
        ("memory", "rtt", False),
        ("memory", "throughput", True),
        ("sqlite", "rtt", True),
        ("sqlite", "throughput", False),
    ]

    assert judged(outcomes) == "depends on the store and the load"


def test_how_many_connections_are_needed_is_not_settled(results: Results) -> None:
    verdicts = of_claim(results, FEWER)

    assert {it.verdict for it in verdicts} == {"not settled by this"}
    assert all("gRPC over" in it.figures for it in verdicts)


def test_smaller_protobuf_holds_with_its_bytes(results: Results) -> None:
    verdicts = of_claim(results, SMALLER)

    assert [it.verdict for it in verdicts] == ["holds"] * 4
    row = next(
        it
        for it in results.results
        if (it.contestant, it.label) == ("tcp-json-sqlite", "rtt")
    )
    assert row.wire_bytes_per_message is not None
    wire = row.wire_bytes_per_message
    assert f"{wire.up + wire.down:.0f}" in verdicts[0].figures


def test_lines_are_told_with_what_is_generated_apart(results: Results) -> None:
    lines = {
        "tcp": SourceLines(transport=100, framing=50, schema=0, generated=0),
        "grpc": SourceLines(transport=120, framing=0, schema=9, generated=777),
    }

    over_tcp, over_websocket = of_claim(replace(results, source_lines=lines), SIMPLER)

    assert over_tcp.verdict.startswith("holds")
    assert "129" in over_tcp.figures
    assert "777 generated" in over_tcp.figures
    assert over_websocket.verdict == ABSENT


def test_lines_that_only_unary_calls_need_may_decide(results: Results) -> None:
    lines = {
        "tcp": SourceLines(transport=100, framing=50, schema=0, generated=0),
        "websocket": SourceLines(transport=90, framing=0, schema=0, generated=0),
        "grpc": SourceLines(transport=200, framing=0, schema=9, generated=7, unary=100),
    }

    over_tcp, over_websocket = of_claim(replace(results, source_lines=lines), SIMPLER)

    assert over_tcp.verdict.startswith("depends on whether unary calls count")
    assert "100 of it for unary calls" in over_tcp.figures
    assert over_websocket.verdict.startswith("does not hold")


def test_a_run_that_lacks_the_figures_settles_nothing() -> None:
    plan = narrow(standard(), transports=["tcp"])
    results = replace(synthetic_results(plan), source_lines={})

    verdicts = all_verdicts(results)

    settled = {
        it.reading for it in verdicts if not it.verdict.startswith("not settled")
    }
    assert settled == {"protobuf on TCP, JSON on TCP"}


def test_a_look_says_that_it_is_one() -> None:
    verdicts = all_verdicts(synthetic_results(quick()))

    assert all("a look at 3 rounds, not a result" in it.verdict for it in verdicts)
    assert all(it.verdict.startswith(BEGINNINGS) for it in verdicts)
