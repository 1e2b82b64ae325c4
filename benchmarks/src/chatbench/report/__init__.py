"""``report.html``: a run as one page that needs nothing else.

``page`` puts together what the other modules make: sentences (``summary``, ``method``),
charts (``charts``) and tables (``grids``, ``circumstances``). All of it is read from
``Results``; the same results give the same bytes.
"""

from pathlib import Path

from chatbench.report.page import page
from chatbench.results import Results

__all__ = ["write_report"]


def write_report(results: Results, path: Path) -> None:
    """Write the page of these results to ``path``, replacing what is there."""
    path.write_text(page(results), encoding="utf-8", newline="\n")
