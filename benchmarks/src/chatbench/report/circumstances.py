"""The tables around a run: its loads, its machine, what was measured apart from it."""

from collections.abc import Mapping

from chatbench.report.markup import Row, Table, names
from chatbench.report.wording import ABSENT, mebibytes, number, share
from chatbench.results import Results


def workloads(results: Results) -> Table:
    """What each load was."""
    return Table(
        slug="workloads",
        caption="Workloads",
        columns=names(
            "workload|kind|pairs|in flight|body, bytes|warm-up, s|measured, s"
            "|rate, messages/s|share of capacity|count"
        ),
        rows=[
            Row(
                cells=(
                    *(each.label, each.name, f"{each.pairs:,}", f"{each.in_flight:,}"),
                    f"{each.body_bytes:,}",
                    *(f"{each.warm_up_s:g}", f"{each.measure_s:g}"),
                    *(number(each.rate_per_s), share(each.capacity_share)),
                    ABSENT if each.count is None else f"{each.count:,}",
                )
            )
            for each in results.workloads
        ],
        words=frozenset({1}),
    )


def alone(results: Results) -> list[Table]:
    """What was counted or measured outside the rounds, where it was."""
    tables = []
    if results.source_lines:
        tables.append(
            Table(
                slug="lines",
                caption="Lines of code that only this transport needs, without blank "
                "lines, comments and docstrings",
                columns=names(
                    "transport|its package|of it unary calls|framing|schema|generated"
                ),
                rows=[
                    Row(
                        cells=(
                            name,
                            *(f"{each.transport:,}", f"{each.unary:,}"),
                            f"{each.framing:,}",
                            *(f"{each.schema:,}", f"{each.generated:,}"),
                        )
                    )
                    for name, each in results.source_lines.items()
                ],
            )
        )
    for slug, subject, costs in (
        ("codecs-alone", "Codecs", results.codec_us_per_message),
        ("stores-alone", "Stores", results.store_us_per_message),
    ):
        if costs:
            tables.append(_costs(slug, subject, costs))
    return tables


def _costs(slug: str, subject: str, costs: Mapping[str, Mapping[str, float]]) -> Table:
    parts = list(dict.fromkeys(part for each in costs.values() for part in each))
    return Table(
        slug=slug,
        caption=f"{subject} alone, in one process: µs of CPU a message",
        columns=(subject.lower(), *(part.replace("_", " ") for part in parts)),
        rows=[
            Row(cells=(name, *(number(each.get(part)) for part in parts)))
            for name, each in costs.items()
        ],
    )


def circumstances(results: Results) -> list[Table]:
    """Where, when and with what it was run."""
    machine = results.machine
    run = {
        "plan": results.plan,
        "rounds": str(results.rounds),
        "began at": results.began_at,
        "took": f"{results.seconds:,.0f} s",
        "command": results.command,
        "commit": results.commit,
        "seed": str(results.seed),
        "schema of results.json": f"version {results.version}",
    }
    where = {
        "system": machine.system,
        "processor": machine.cpu,
        "cores": str(machine.cores),
        "memory": f"{mebibytes(machine.memory_bytes)} MiB",
        "pinned": "server and generator each on a core of their own"
        if machine.pinned
        else "no",
    }
    return [
        _named("run", "Run", run),
        _named("machine", "Machine", where),
        _named("versions", "Versions", machine.versions),
        _named("settings", "Settings", results.settings),
    ]


def _named(slug: str, caption: str, values: Mapping[str, str]) -> Table:
    return Table(
        slug=slug,
        caption=caption,
        columns=("what", "value"),
        rows=[Row(cells=pair) for pair in values.items()],
        words=frozenset({1}),
    )
