"""A load of somebody's own, in place of a plan."""

import pytest

from chatapp.bench_settings import BenchSettings
from chatapp.errors import SettingWrong
from chatbench.errors import CannotCompare
from chatbench.plans import narrow, own, with_times
from chatbench.request import OwnLoad


def test_it_runs_on_each_transport_and_store_and_each_has_a_twin() -> None:
    plan = own(OwnLoad(pairs=200, in_flight=1, body_bytes=(64, 300)), ())

    first = [it for it in plan.contestants if it.twin_of is None]
    twins = [it.twin_of for it in plan.contestants if it.twin_of is not None]

    assert {(it.transport, it.codec, it.store) for it in first} == {
        (transport, "protobuf", store)
        for transport in ("tcp", "websocket", "grpc")
        for store in ("memory", "sqlite")
    }
    assert twins == [it.name for it in first]
    assert [it.label for it in plan.workloads] == [
        "throughput-200x1",
        "throughput-200x1-300b",
    ]


def test_at_a_rate_it_is_an_open_loop() -> None:
    plan = own(OwnLoad(pairs=50, rate_per_s=1_000, body_bytes=(300,)), ())

    (load,) = plan.workloads

    assert (load.name, load.pairs, load.in_flight, load.rate_per_s) == (
        "rate",
        50,
        0,
        1_000,
    )
    assert (load.label, load.body_bytes) == ("rate-1000-50p-300b", 300)


def test_a_transport_with_one_codec_keeps_it_whichever_are_asked_for() -> None:
    plan = own(OwnLoad(), ("msgpack", "json"))

    codecs = {
        transport: {it.codec for it in plan.contestants if it.transport == transport}
        for transport in ("tcp", "websocket", "grpc")
    }

    assert codecs == {
        "tcp": {"msgpack", "json"},
        "websocket": {"msgpack", "json"},
        "grpc": {"protobuf"},
    }


def test_a_codec_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CannotCompare, match="no codec 'pigeon'; it has json"):
        own(OwnLoad(), ("pigeon",))


def test_it_is_narrowed_as_every_plan_is() -> None:
    whole = own(OwnLoad(), ("json",))

    plan = narrow(whole, transports=["tcp"], stores=["memory"], codecs=["json"])

    assert [it.name for it in plan.contestants] == [
        "tcp-json-memory",
        "tcp-json-memory'",
    ]


def test_a_shorter_window_than_planned_makes_no_result() -> None:
    plan = own(OwnLoad(), ())

    plans = [with_times(plan, warm_up_s=0, measure_s=it) for it in (0, 0.5, 2)]

    assert [it.is_result for it in plans] == [True, False, True]
    assert [it.workloads[0].measure_s for it in plans] == [1.0, 0.5, 2.0]
    assert {it.workloads[0].warm_up_s for it in plans} == {0.3}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pairs": -1}, "not below 0"),
        ({"body": "small"}, "64,300,4000"),
        ({"body": "4"}, "12 to 65536 bytes"),
        ({"rate": 100, "in_flight": 4}, "choose one"),
        ({"pairs": 4, "full": True}, "a load of your own"),
        ({"pairs": 4, "workload": "rtt"}, "a load of your own"),
    ],
)
def test_what_contradicts_itself_is_refused(
    settings: dict[str, int | str | bool], said: str
) -> None:
    with pytest.raises(SettingWrong, match=said):
        BenchSettings(**settings)  # type: ignore[arg-type]  # by names


def test_sizes_are_read_with_commas_between_them_each_once() -> None:
    settings = BenchSettings(body="300, 64,300")

    assert settings.body_bytes == (300, 64)
    assert settings.asks_of_own_load
