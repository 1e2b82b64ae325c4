"""The page as a whole: what a person reads, from the sentence down to each figure."""

from chatbench.report.charts import all_charts
from chatbench.report.circumstances import alone, circumstances, workloads
from chatbench.report.drawing import Chart
from chatbench.report.grids import grid, peers, ratio_tables
from chatbench.report.markup import Row, Table, bullets, paragraph, table, text
from chatbench.report.method import limits, method
from chatbench.report.style import style
from chatbench.report.summary import cautions, glance, headline, not_a_result
from chatbench.results import Results, Verdict

TITLE = "One chat, three transports: what each costs"
_SECTIONS = (
    ("charts", "Charts"),
    ("verdicts", "Verdicts"),
    ("advice", "Advice"),
    ("ratios", "Comparisons"),
    ("rows", "All rows"),
    ("peers", "Peers"),
    ("alone", "Apart from the rounds"),
    ("method", "Method"),
    ("limits", "Limits"),
    ("run", "Machine and run"),
)


def page(results: Results) -> str:
    """HTML that needs no other file and no script, and is well-formed XML as well."""
    bodies = {
        "charts": "\n".join(map(_figure, all_charts(results))),
        "verdicts": _verdicts(results.verdicts),
        "advice": bullets(results.advice) if results.advice else "",
        "ratios": "\n".join(map(table, ratio_tables(results))),
        "rows": table(grid(results)) + table(workloads(results)),
        "peers": "\n".join(map(table, peers(results))),
        "alone": "\n".join(map(table, alone(results))),
        "method": _method(results),
        "limits": bullets(limits(results)),
        "run": "\n".join(map(table, circumstances(results))),
    }
    shown = [(slug, title) for slug, title in _SECTIONS if bodies[slug]]
    links = "".join(f'<li><a href="#{slug}">{title}</a></li>' for slug, title in shown)
    sections = "\n".join(
        f'<section id="{slug}" aria-labelledby="h-{slug}">'
        f'<h2 id="h-{slug}">{title}</h2>\n'
        f"{bodies[slug]}</section>"
        for slug, title in shown
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{text(TITLE)}</title>\n<style>\n{style()}\n</style>\n</head>\n<body>\n"
        f"<header>\n{_top(results)}\n"
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n</header>\n'
        f"<main>\n{sections}\n</main>\n</body>\n</html>\n"
    )


def _top(results: Results) -> str:
    parts = [f"<h1>{text(TITLE)}</h1>"]
    if (reason := not_a_result(results)) is not None:
        parts.append(f'<p class="banner" role="note">{text(reason)}</p>')
    parts.append(f'<p class="lead">{text(headline(results))}</p>')
    parts += [f'<p class="caution">{text(each)}</p>' for each in cautions(results)]
    if (glanced := glance(results)) is not None:
        parts.append(table(glanced))
    machine = results.machine
    parts.append(
        f'<p class="soft">{text(machine.cpu)}, {machine.cores} cores, '
        f"{text(machine.system)}; plan {text(results.plan)}, rounds: {results.rounds}; "
        f"commit {text(results.commit)}; {text(results.began_at)}</p>"
    )
    return "\n".join(parts)


def _figure(chart: Chart) -> str:
    figures = Table(
        slug=f"{chart.slug}-figures",
        caption=chart.title,
        columns=chart.columns,
        rows=[Row(cells=cells) for cells in chart.figures],
    )
    return (
        f'<figure>\n<h3 id="{chart.slug}-title">{text(chart.title)}</h3>\n'
        f'<div class="chart" role="region" aria-labelledby="{chart.slug}-title" '
        f'tabindex="0">{chart.svg}</div>\n'
        f'<figcaption id="{chart.slug}-says">{text(chart.reading)}</figcaption>\n'
        f"<details><summary>The figures of this chart</summary>{table(figures)}"
        "</details>\n</figure>"
    )


def _verdicts(verdicts: list[Verdict]) -> str:
    claims = dict.fromkeys(verdict.claim for verdict in verdicts)
    return "\n".join(
        f"<article><h3>{text(claim)}</h3><ul>"
        + "".join(
            f'<li><span class="verdict">{text(each.verdict)}</span>: '
            f'{text(each.reading)}. <span class="soft">{text(each.figures)}</span></li>'
            for each in verdicts
            if each.claim == claim
        )
        + "</ul></article>"
        for claim in claims
    )


def _method(results: Results) -> str:
    points = "".join(
        f"<dt>{text(name)}</dt><dd>{text(says)}</dd>" for name, says in method(results)
    )
    return (
        paragraph("Words that a sceptic asks for; chatcore's documentation has more.")
        + f"<dl>{points}</dl>"
    )
