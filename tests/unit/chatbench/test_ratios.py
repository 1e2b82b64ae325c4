"""Who is compared with whom, and what is called a difference."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from chatbench.cells import Cell, Contestant
from chatbench.contestants import ChatContestant, echo, twin
from chatbench.measures import BYTES_SCATTER, CPU, P50, THROUGHPUT, WIRE_BYTES
from chatbench.plans import Plan, standard
from chatbench.ratios import finding, matches
from chatbench.results import Peer, Ratio, Results
from chatbench.samples import Sample
from chatbench.statistics import Interval
from chatbench.workloads import rate, rtt, throughput
from tests.unit.chatbench.synthetic import (
    results_of,
    synthetic_results,
    synthetic_samples,
)

LOAD = throughput(8, 16)
TCP = ChatContestant("tcp").plain()
GRPC = ChatContestant("grpc").plain()


def plan_of(*contestants: Contestant, rounds: int = 8) -> Plan:
    cells = tuple(Cell(contestant=it, workload=LOAD) for it in contestants)
    return Plan(name="standard", rounds=rounds, cells=cells, wire_labels=(LOAD.label,))


def run_of(
    plan: Plan,
    *,
    seed: int = 1,
    noise: float = 0.03,
    spoil: Callable[[Sample], None] | None = None,
) -> Results:
    """A run whose samples may be spoiled."""
    samples = synthetic_samples(plan.cells, seed=seed, rounds=plan.rounds, noise=noise)
    if spoil is not None:
        for it in samples:
            spoil(it)
    return results_of(plan, samples)


def only(results: Results, table: str, measure: str) -> Ratio:
    (found,) = [
        it for it in results.ratios if (it.table, it.measure) == (table, measure)
    ]
    return found


def pairs(table: str, *contestants: Contestant) -> set[tuple[str, str]]:
    found = matches(contestants)
    return {(it.of.name, it.to.name) for it in found if it.table == table}


def test_each_table_varies_one_thing() -> None:
    varied = {
        "transports": {"transport"},
        "codecs": {"codec"},
        "stores": {"store"},
        "floor": {"server", "codec", "store"},
        "calls": {"driver"},
        "frames": {"framing"},
        "engines": {"loop"},
        "clients": {"driver"},
    }
    found = [it for it in matches(standard().contestants) if it.table != "twins"]

    for it in found:
        differing = {
            name
            for name in Contestant.__struct_fields__
            if getattr(it.of, name) != getattr(it.to, name)
        }
        assert differing - {"name"} == varied[it.table]
    assert {it.table for it in found} == set(varied)


def test_transports_are_compared_on_each_store_apart() -> None:
    chats = [
        ChatContestant(t, s).plain()
        for t in ("tcp", "grpc")
        for s in ("memory", "sqlite")
    ]

    assert pairs("transports", *chats) == {
        ("grpc-protobuf-memory", "tcp-protobuf-memory"),
        ("grpc-protobuf-sqlite", "tcp-protobuf-sqlite"),
    }


def test_a_run_without_protobuf_compares_transports_by_the_codec_that_it_has() -> None:
    maps = [ChatContestant(it).plain("msgpack") for it in ("tcp", "websocket")]

    assert pairs("transports", *maps) == {
        ("websocket-msgpack-sqlite", "tcp-msgpack-sqlite")
    }
    assert pairs("transports", *maps, TCP) == set()


def test_the_chat_is_set_over_the_echo_of_its_own_transport() -> None:
    found = pairs("floor", TCP, GRPC, echo("tcp"), echo("tcp", "single"))

    assert found == {(TCP.name, "tcp-echo")}


def test_names_decide_nothing() -> None:
    odd = replace(GRPC, name="tcp-json-memory")

    assert pairs("transports", TCP, odd) == {("tcp-json-memory", TCP.name)}


def test_twins_and_planted_faults_are_in_no_table_but_that_of_the_twins() -> None:
    planted = replace(GRPC, planted="cpu_us=20")

    found = matches([TCP, twin(TCP), planted])

    assert [(it.table, it.of.name, it.to.name) for it in found] == [
        ("twins", twin(TCP).name, TCP.name)
    ]


def test_others_are_compared_where_they_promise_the_same() -> None:
    peer = Contestant(
        name="other", transport="mqtt", codec="mqtt", store="own", server="peer"
    )
    promise = Peer(
        name="other", version="1", acknowledged=True, stored=False, synced=False
    )
    plan = plan_of(peer, TCP, ChatContestant("tcp", "memory").plain())
    samples = synthetic_samples(plan.cells, seed=1, rounds=8)

    promised = results_of(plan, samples, peers=[promise]).ratios

    cpu = [it for it in promised if (it.table, it.measure) == ("peers", CPU)]
    assert {(it.to, it.finding) for it in cpu} == {
        ("tcp-protobuf-memory", "higher"),
        ("tcp-protobuf-sqlite", "not comparable"),
    }


def test_what_is_thirty_percent_dearer_is_found_with_five_percent_noise() -> None:
    contestants = [TCP, twin(TCP), GRPC]

    def dearer(sample: Sample) -> None:
        # gRPC costs what TCP does but for a third: the synthetic cost is replaced.
        if sample.contestant == GRPC.name:
            cost_us = sample.server_cpu_us_per_message or 0.0
            sample.server_cpu_us_per_message = cost_us * 1.3 * 16 / 25

    findings = [
        only(
            run_of(plan_of(*contestants), seed=seed, noise=0.05, spoil=dearer),
            "transports",
            CPU,
        ).finding
        for seed in range(30)
    ]

    assert findings.count("higher") >= 28
    assert "lower" not in findings


def test_twins_are_no_difference_nearly_always() -> None:
    plan = plan_of(TCP, twin(TCP), GRPC, twin(GRPC))

    found = [
        it.finding
        for seed in range(100)
        for it in run_of(plan, seed=seed, noise=0.05).ratios
        if (it.table, it.measure) == ("twins", CPU)
    ]

    assert len(found) == 200
    assert found.count("no difference") / len(found) >= 0.93


def test_equal_contestants_are_no_difference_nearly_always() -> None:
    plan = plan_of(TCP, twin(TCP), GRPC, twin(GRPC))

    def same(sample: Sample) -> None:
        if sample.contestant.startswith(GRPC.name):
            cost_us = sample.server_cpu_us_per_message or 0.0
            sample.server_cpu_us_per_message = cost_us * 16 / 25

    findings = [
        only(run_of(plan, seed=seed, noise=0.05, spoil=same), "transports", CPU).finding
        for seed in range(60)
    ]

    assert findings.count("no difference") / len(findings) >= 0.93


def test_a_failed_round_makes_nothing_of_its_row_comparable() -> None:
    def lose(sample: Sample) -> None:
        if (sample.contestant, sample.round) == (GRPC.name, 3):
            sample.lost = 1

    results = run_of(plan_of(TCP, GRPC), spoil=lose)

    assert results.ratios
    assert {it.finding for it in results.ratios} == {"not comparable"}
    assert {(it.ratio, it.low, it.high) for it in results.ratios} == {
        (None, None, None)
    }


def test_where_the_generator_is_the_limit_only_cpu_and_bytes_are_compared() -> None:
    def bound(sample: Sample) -> None:
        sample.generator_core_share = 0.95

    results = run_of(plan_of(TCP, GRPC), spoil=bound)

    comparable = {it.measure for it in results.ratios if it.ratio is not None}
    assert comparable == {CPU, WIRE_BYTES}
    assert only(results, "transports", THROUGHPUT).finding == "not comparable"
    assert only(results, "transports", P50).finding == "not comparable"


def test_bytes_are_counted_once_and_one_percent_is_no_difference() -> None:
    found = only(run_of(plan_of(TCP, GRPC)), "transports", WIRE_BYTES)

    assert found.ratio is not None
    assert (found.low, found.high) == pytest.approx(
        (found.ratio / BYTES_SCATTER, found.ratio * BYTES_SCATTER)
    )
    assert (found.noise, found.finding) == (None, "higher")


def test_a_throughput_that_the_load_gives_is_not_compared() -> None:
    loads = [rtt(), rate(1_000), LOAD]
    cells = tuple(
        Cell(contestant=it, workload=load) for it in (TCP, GRPC) for load in loads
    )
    plan = Plan(name="standard", rounds=4, cells=cells, wire_labels=())

    found = run_of(plan).ratios

    labels = {it.label for it in found if it.measure == THROUGHPUT}
    assert labels == {LOAD.label}


def test_a_run_without_twins_has_no_noise() -> None:
    found = run_of(plan_of(TCP, GRPC)).ratios

    assert {it.noise for it in found} == {None}


def test_two_rounds_are_too_few_to_compare() -> None:
    found = only(run_of(plan_of(TCP, GRPC, rounds=2)), "transports", CPU)

    assert (found.rounds, found.finding) == (2, "not comparable")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 1.1, "no difference"),
        (1.0, 1.2, "no difference"),
        (1.01, 1.2, "higher"),
        (0.8, 0.99, "lower"),
    ],
)
def test_an_interval_that_holds_one_is_no_difference(
    low: float, high: float, expected: str
) -> None:
    assert finding(Interval(ratio=(low + high) / 2, low=low, high=high)) == expected


def test_the_same_samples_give_the_same_ratios() -> None:
    assert synthetic_results(seed=4).ratios == synthetic_results(seed=4).ratios
