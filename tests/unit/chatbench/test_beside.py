"""Every server's cost as a ratio to that of Mosquitto, under each load."""

import re
from io import StringIO
from statistics import median

import pytest
from msgspec.structs import replace
from rich.console import Console

from chatbench.beside import print_beside, ratios_beside
from chatbench.cells import Contestant
from chatbench.plans import concurrency, with_peers
from chatbench.results import Results
from tests.unit.chatbench.synthetic import (
    PEER_US,
    cost_us,
    results_of,
    synthetic_samples,
)

MOSQUITTO = Contestant(
    name="mosquitto", transport="mqtt", codec="mqtt", store="session", server="peer"
)


def run(rounds: int) -> Results:
    plan = replace(with_peers(concurrency(), [MOSQUITTO]), rounds=rounds)
    samples = synthetic_samples(plan.cells, seed=4, rounds=rounds)
    return results_of(plan, samples, seed=4)


def printed(results: Results) -> str:
    output = StringIO()
    print_beside(results, Console(file=output, width=100))
    return output.getvalue()


def test_each_contestant_is_told_in_mosquittos_under_each_load() -> None:
    results = run(rounds=9)

    ratios = ratios_beside(results)

    assert ratios.keys() == {it.name for it in results.contestants} - {"mosquitto"}
    for contestant in results.contestants:
        for rounds in ratios.get(contestant.name, {}).values():
            assert len(rounds) == 9
            assert median(rounds) == pytest.approx(
                cost_us(contestant) / PEER_US, rel=0.1
            )


def test_the_table_is_markdown_with_a_column_for_each_load() -> None:
    title, _, head, rule, *rows = printed(run(rounds=9)).strip().splitlines()

    assert "mosquitto" in title
    columns = [it.strip() for it in head.strip("|").split("|")]
    assert columns == ["contestant", "8x64", "8x16", "200x1", "1x1"]
    assert set(rule) == set("| -")
    assert rows[-1].startswith("| mosquitto, µs")
    assert len({len(it) for it in (head, rule, *rows)}) == 1


def test_too_few_rounds_have_no_interval() -> None:
    text = printed(run(rounds=2))

    assert re.search(r"^\| tcp-protobuf-memory +\| 0\.\d\d +\|", text, re.MULTILINE)
    assert " to " not in text


def test_without_mosquitto_there_is_no_table() -> None:
    plan = concurrency()
    samples = synthetic_samples(plan.cells, seed=4, rounds=3)

    assert not printed(results_of(plan, samples, seed=4))
