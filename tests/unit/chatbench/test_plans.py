"""What the plans compare, and what is left of one that is narrowed."""

import pytest

from chatbench.cells import Contestant
from chatbench.errors import CannotCompare
from chatbench.plans import (
    PLANS,
    concurrency,
    full,
    narrow,
    quick,
    standard,
    with_peers,
    with_stores,
)
from chatbench.workloads import CAPACITY

QUICK_S = 120
LONGEST_S = {
    "quick": QUICK_S,
    "standard": 30 * 60,
    "full": 90 * 60,
    "concurrency": 30 * 60,
    "quick-concurrency": 6 * 60,
}


@pytest.mark.parametrize("name", list(PLANS))
def test_every_cell_of_a_plan_has_a_key_of_its_own(name: str) -> None:
    plan = PLANS[name]()

    keys = [cell.key for cell in plan.cells]

    assert len(set(keys)) == len(keys)
    assert len({it.name for it in plan.contestants}) == len(plan.contestants)
    assert len({it.label for it in plan.workloads}) == len(plan.workloads)


@pytest.mark.parametrize("name", list(PLANS))
def test_a_plan_is_expected_to_end_in_its_time(name: str) -> None:
    plan = PLANS[name]()

    assert plan.expected_s <= LONGEST_S[name]


def test_a_quick_look_has_each_transport_on_both_stores_and_is_no_result() -> None:
    plan = quick()

    seen = {(it.transport, it.codec, it.store) for it in plan.contestants}
    expected = {
        (transport, codec, store)
        for store in ("memory", "sqlite")
        for transport, codec in [
            ("tcp", "protobuf"),
            ("websocket", "protobuf"),
            ("grpc", "protobuf"),
            ("tcp", "msgpack"),
            ("websocket", "msgpack"),
        ]
    }

    assert seen == expected
    assert [it.label for it in plan.workloads] == ["rtt", CAPACITY]
    assert not plan.is_result
    assert plan.rounds == 3


def test_each_of_the_main_grid_has_an_identical_twin() -> None:
    plan = standard()
    contestants = {it.name: it for it in plan.contestants}

    twins = [it for it in plan.contestants if it.twin_of is not None]

    assert len(twins) == 6
    for it in twins:
        assert it.twin_of is not None
        of = contestants[it.twin_of]
        assert (it.transport, it.store, it.codec, it.driver, it.loop, it.server) == (
            of.transport,
            of.store,
            of.codec,
            of.driver,
            of.loop,
            of.server,
        )


def test_what_is_cited_has_at_least_eight_rounds() -> None:
    assert [it.is_result and it.rounds >= 8 for it in (standard(), full())] == [
        True
    ] * 2


def test_every_workload_is_in_the_standard_plan() -> None:
    names = {it.name for it in standard().workloads}

    assert names == {
        "rtt",
        "throughput",
        "rate",
        "offline",
        "logins",
        "list",
        "idle",
        "replay",
    }


def test_the_bytes_of_twins_are_not_counted_again() -> None:
    plan = standard()

    counted = [it.contestant for it in plan.wire_cells]

    assert counted
    assert all(it.twin_of is None for it in counted)


def test_a_narrowed_plan_has_only_what_was_named() -> None:
    plan = narrow(
        standard(), transports=["grpc"], stores=["memory"], workloads=["throughput"]
    )

    stores = {it.store for it in plan.contestants}

    assert {it.transport for it in plan.contestants} == {"grpc"}
    assert stores == {"memory", "none"}  # an echo has no store, and belongs to each
    assert {it.name for it in plan.workloads} == {"throughput"}
    assert plan.is_result


def test_a_workload_may_be_named_by_its_label() -> None:
    plan = narrow(standard(), workloads=["throughput-8x4", "rtt"])

    assert {it.label for it in plan.workloads} == {"throughput-8x4", "rtt"}


def test_a_share_of_the_capacity_keeps_what_finds_the_capacity() -> None:
    plan = narrow(standard(), workloads=["rate-50pct"])

    assert {it.label for it in plan.workloads} == {"rate-50pct", CAPACITY}
    assert len(plan.cells) == 6


def test_with_fewer_rounds_than_planned_it_is_no_result() -> None:
    planned = standard()

    plans = [narrow(planned, rounds=it) for it in (0, 7, 8, 9)]

    assert [(it.rounds, it.is_result) for it in plans] == [
        (8, True),
        (7, False),
        (8, True),
        (9, True),
    ]


@pytest.mark.parametrize("kind", ["transports", "stores", "workloads"])
def test_a_name_that_the_plan_has_not_is_refused_with_those_that_it_has(
    kind: str,
) -> None:
    given = {kind: ["pigeons"]}

    with pytest.raises(CannotCompare, match=r"'pigeons'; it has \w+"):
        narrow(
            quick(),
            transports=given.get("transports", ()),
            stores=given.get("stores", ()),
            workloads=given.get("workloads", ()),
        )


def test_others_servers_run_under_the_two_loads_that_all_speak() -> None:
    peer = Contestant(
        name="carrier", transport="pigeon", codec="ink", store="paper", server="peer"
    )

    plan = with_peers(standard(), [peer])

    ours = [it.workload.label for it in plan.cells if it.contestant == peer]
    assert sorted(ours) == ["rtt", CAPACITY]


def test_from_one_message_to_many_others_servers_run_under_every_load() -> None:
    peer = Contestant(
        name="carrier", transport="pigeon", codec="ink", store="paper", server="peer"
    )

    plan = with_peers(concurrency(), [peer])

    loads = [it.workload for it in plan.cells if it.contestant == peer]
    assert [(it.pairs, it.in_flight, it.body_bytes) for it in loads] == [
        (8, 64, 64),
        (8, 16, 64),
        (200, 1, 64),
        (1, 1, 64),
    ]
    assert plan.rounds == 9


def test_others_servers_under_no_such_load_are_refused() -> None:
    idle = narrow(standard(), workloads=["idle"])

    with pytest.raises(CannotCompare, match="compared under"):
        with_peers(idle, [])


def test_nothing_left_is_refused() -> None:
    with pytest.raises(CannotCompare, match="no cell"):
        narrow(standard(), stores=["memory"], workloads=["offline"])


def test_a_store_of_others_is_compared_wherever_the_durable_one_is() -> None:
    url = "pigeons://coop/{folder}"

    plan = with_stores(quick(), ["sqlite", url], plugin="/coop.py")
    narrowed = narrow(plan, stores=["sqlite", url])

    names = {it.name: it for it in narrowed.contestants}
    assert {it.replace("-pigeons", "-sqlite") for it in names} == {
        it for it in names if it.endswith("-sqlite")
    }
    assert len(names) == 2 * len({it for it in names if it.endswith("-pigeons")})
    assert names["tcp-protobuf-pigeons"].store == url
    assert names["tcp-protobuf-pigeons"].plugin == "/coop.py"
    assert names["tcp-protobuf-sqlite"].plugin == ""


@pytest.mark.parametrize("name", list(PLANS))
def test_with_a_store_of_others_every_cell_has_a_key_of_its_own(name: str) -> None:
    plan = with_stores(PLANS[name](), ["pigeons://coop/{folder}"])

    keys = [cell.key for cell in plan.cells]

    assert len(set(keys)) == len(keys) > len(PLANS[name]().cells)


def test_a_store_that_is_the_same_for_all_servers_is_refused() -> None:
    with pytest.raises(CannotCompare, match=r"put \{folder\} into"):
        with_stores(quick(), ["pigeons://coop"])
