"""The page: whole, self-contained, the same each time, and true to the results."""

import re
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from chatbench.latencies import encode, histogram_of
from chatbench.plans import quick, standard
from chatbench.report import write_report
from chatbench.report.page import page
from chatbench.results import Peer, Results
from chatbench.samples import Percentiles
from tests.unit.chatbench.synthetic import synthetic_results

HOSTILE = "<script>alert('x')</script>&\"'"


class Read:
    """A page's tags, ids and references; it must be well-formed to be read at all."""

    def __init__(self, html: str) -> None:
        root = ET.fromstring(html)  # noqa: S314  # our own page
        self.tags = {each.tag.rpartition("}")[2] for each in root.iter()}
        self.ids = [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
        self.references = [
            value
            for each in root.iter()
            for name, value in each.attrib.items()
            if name.rpartition("}")[2] in {"href", "src"}
        ]


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic_results(standard())


@pytest.fixture(scope="module")
def rows_alone(results: Results) -> Results:
    """The same without its ratios, whose chart takes half of a page's time."""
    return replace(results, ratios=[])


@pytest.fixture(scope="module")
def written(results: Results) -> str:
    return page(results)


def test_every_tag_is_closed_and_every_id_is_unique(written: str) -> None:
    ids = Read(written).ids

    assert ids
    assert len(ids) == len(set(ids))


def test_the_page_needs_no_other_file_and_no_script(written: str) -> None:
    html = Read(written)

    assert html.tags.isdisjoint({"script", "link", "img", "image", "iframe"})
    assert html.references
    assert all(each.startswith("#") for each in html.references)
    assert {each[1:] for each in html.references} <= set(html.ids)
    assert re.findall(r"url\((?!#)", written) == []
    assert "@import" not in written
    addresses = set(re.findall(r'https?://[^\s"<]+', written))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_standard_run_is_a_page_of_less_than_a_mebibyte(
    results: Results, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"

    write_report(results, path)

    assert 100_000 < path.stat().st_size < 2**20


def test_the_same_results_give_the_same_bytes(results: Results, written: str) -> None:
    assert page(results) == written


def test_all_six_charts_are_drawn_with_words_for_who_cannot_see_them(
    written: str,
) -> None:
    for slug in ("layers", "forest", "rate", "percentiles", "wire", "depth"):
        assert f'aria-labelledby="{slug}-title" aria-describedby="{slug}-says"' in (
            written
        )
        assert f'id="{slug}-title"' in written
        assert f'id="{slug}-says"' in written
        assert f'id="t-{slug}-figures"' in written


def test_every_ratio_stands_in_its_table_with_its_finding(
    results: Results, written: str
) -> None:
    for ratio in results.ratios:
        row = (
            rf'<th scope="row">{re.escape(escape(ratio.of))}</th>'
            rf'<td class="w">{re.escape(escape(ratio.to))}</td>'
            rf'<td class="w">{ratio.label}</td><td class="w">[^<]+</td>'
            rf'<td>[^<]+</td><td>[^<]+</td><td class="w">{ratio.finding}</td>'
        )
        assert re.search(row, written), ratio


def test_every_verdict_and_every_advice_is_told(results: Results, written: str) -> None:
    assert results.verdicts
    assert results.advice
    for verdict in results.verdicts:
        assert escape(verdict.claim) in written
        assert escape(verdict.verdict) in written
        assert escape(verdict.figures) in written
    for advice in results.advice:
        assert escape(advice) in written


def test_a_quick_run_says_that_it_is_no_result(written: str) -> None:
    look = page(synthetic_results(quick()))

    assert "A look, not a result: 3 rounds, no twins, no noise floor." in look
    assert "A look, not a result" not in written


@pytest.mark.parametrize("left_out", ["rate", "rtt", "throughput", "idle", "all"])
def test_a_run_without_some_workload_still_has_a_page(
    results: Results, left_out: str
) -> None:
    rows = [row for row in results.results if left_out not in {row.workload, "all"}]
    labels = {row.label for row in rows}
    narrowed = replace(
        results,
        results=rows,
        ratios=[ratio for ratio in results.ratios if ratio.label in labels],
    )

    ids = Read(page(narrowed)).ids

    assert ("rate-title" in ids) == (left_out not in {"rate", "all"})


def test_a_run_on_one_transport_compares_nothing_and_says_so(results: Results) -> None:
    alone = replace(
        results,
        results=[row for row in results.results if row.transport == "tcp"],
        ratios=[],
    )

    html = page(alone)

    assert "This run does not compare transports" in html


def test_a_hostile_name_is_text_and_nothing_else(results: Results) -> None:
    row = replace(results.results[0], contestant=HOSTILE, faults=[HOSTILE])
    hostile = replace(
        results,
        results=[*results.results, row],
        ratios=[replace(results.ratios[0], of=HOSTILE, table=HOSTILE)],
        settings={HOSTILE: HOSTILE},
        advice=[HOSTILE],
        command=HOSTILE,
    )

    html = page(hostile)

    assert "script" not in Read(html).tags
    assert escape(HOSTILE) in html


def test_a_failed_row_is_red_named_and_in_no_chart(results: Results) -> None:
    name = "grpc-protobuf-sqlite"
    rows = [
        replace(row, valid=False, lost=3, faults=["3 messages were lost"])
        if (row.contestant, row.label) == (name, "throughput-8x16")
        else row
        for row in results.results
    ]

    html = page(replace(results, results=rows))

    assert f"1 of {len(rows)} rows FAILED" in html
    assert re.search(rf'<tr class="bad"><th scope="row">{name}</th>', html)
    glance = html[html.index('id="t-glance"') : html.index("Contents")]
    assert "gRPC, memory" in glance
    assert "gRPC, SQLite" not in glance


def test_what_bounds_or_disturbs_a_row_is_marked(results: Results) -> None:
    rows = [
        replace(row, generator_bound=True, disturbed_rounds=2)
        if row.label == "throughput-8x64"
        else row
        for row in results.results
    ]

    html = page(replace(results, results=rows))

    assert "generator-bound, 2 of 8 rounds disturbed" in html
    assert "the load generator may have been the limit" in html


def test_peers_stand_only_among_those_that_promise_the_same(
    rows_alone: Results,
) -> None:
    row = replace(
        next(row for row in rows_alone.results if row.label == "throughput-8x16"),
        server="peer",
        transport="mqtt",
        codec="mqtt",
    )
    peers = [
        Peer(name="m", version="2.0", acknowledged=True, stored=False, synced=False),
        Peer(name="e", version="23", acknowledged=True, stored=False, synced=False),
        Peer(name="p", version="0.12", acknowledged=False, stored=False, synced=False),
    ]
    rows = [
        replace(row, contestant=peer.name, server_cpu_us_per_message=cost)
        for peer, cost in zip(peers, (30.0, 12.0, 50.0), strict=True)
    ]

    html = page(replace(rows_alone, results=[*rows_alone.results, *rows], peers=peers))

    tables = re.findall(r'id="t-peers-\w+".*?</table>', html, re.DOTALL)
    named = [re.findall(r'<th scope="row">(\w)</th>', each) for each in tables]
    assert named == [["p"], ["e", "m"]]


def test_a_percentile_that_was_withheld_is_not_drawn(rows_alone: Results) -> None:
    few = Percentiles(samples=150, p50=None, p90=None, p99=None, p999=None, max=9.0)
    rows = [
        replace(
            row,
            latency_us=few,
            latency_histogram=encode(histogram_of([10_000] * 150)),
        )
        if row.workload in {"rtt", "rate"}
        else row
        for row in rows_alone.results
    ]

    ids = Read(page(replace(rows_alone, results=rows))).ids

    assert "rate-title" not in ids
    assert "percentiles-title" not in ids
