"""What is advised, and when nothing is."""

from chatbench.advice import all_advice, lowest
from chatbench.measures import CPU
from chatbench.plans import narrow, standard
from chatbench.results import Finding, Ratio
from tests.unit.chatbench.synthetic import synthetic_results

NAMES = ("tcp", "websocket", "grpc")


def over(of: str, to: str, found: Finding) -> tuple[str, str, Ratio]:
    ratio = Ratio(
        table="transports",
        label="rtt",
        measure=CPU,
        of=of,
        to=to,
        ratio=1.0,
        low=0.9,
        high=1.1,
        rounds=8,
        noise=None,
        finding=found,
    )
    return of, to, ratio


def test_the_one_that_all_are_above_is_the_lowest() -> None:
    ratios = [
        over("websocket", "tcp", "higher"),
        over("grpc", "tcp", "higher"),
        over("grpc", "websocket", "no difference"),
    ]

    assert lowest(NAMES, ratios) == ["tcp"]


def test_those_that_do_not_differ_are_the_lowest_together() -> None:
    ratios = [
        over("websocket", "tcp", "no difference"),
        over("grpc", "tcp", "higher"),
        over("grpc", "websocket", "higher"),
    ]

    assert lowest(NAMES, ratios) == ["tcp", "websocket"]


def test_every_sentence_says_what_to_choose_when_with_a_figure() -> None:
    advice = all_advice(synthetic_results())

    assert len(advice) >= 9
    assert all(it.startswith("Choose ") and " when" in it for it in advice[:8])
    assert all(any(letter.isdigit() for letter in it) for it in advice)


def test_the_cheapest_transport_is_named_with_its_interval() -> None:
    results = synthetic_results()
    (ratio,) = [
        it
        for it in results.ratios
        if (it.table, it.label, it.measure) == ("transports", "throughput-8x16", CPU)
        and (it.of, it.to) == ("grpc-protobuf-memory", "tcp-protobuf-memory")
    ]

    (sentence, *_) = all_advice(results)

    assert sentence.startswith("Choose TCP when the server's CPU counts")
    assert f"gRPC {ratio.ratio:.2f} ({ratio.low:.2f} to {ratio.high:.2f})" in sentence


def test_nothing_is_advised_of_transports_that_were_not_measured() -> None:
    advice = all_advice(synthetic_results(narrow(standard(), transports=["tcp"])))

    assert not any("WebSocket" in it or "gRPC" in it for it in advice)
