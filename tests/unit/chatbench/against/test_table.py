"""What a person reads of two versions."""

from io import StringIO

from rich.console import Console

from chatbench.against.blocks import versions
from chatbench.against.command import headline
from chatbench.against.judging import judge
from chatbench.against.table import print_against
from chatbench.samples import Sample

CELLS = headline().cells[:2]


def test_each_cell_has_a_line_and_all_together_the_last() -> None:
    samples = [
        Sample(
            contestant=version.name,
            workload=cell.workload.label,
            round=number,
            messages=1_000,
            server_cpu_us_per_message=20.0 if version.name.endswith(" old") else 25.0,
            throughput_per_s=30e3 if version.name.endswith(" old") else 15e3,
        )
        for cell in CELLS
        for version in versions(cell.contestant)
        for number in range(4)
    ]
    told = StringIO()

    ratios = judge(CELLS, samples, seed=1)
    print_against(ratios, samples, "one over two", Console(file=told, width=100))

    lines = [" ".join(it.split()) for it in told.getvalue().splitlines()]
    assert "one over two" in lines
    assert "tcp memory 8x16 20.0 1.25 0.0% 0.50 slower" in lines
    assert "tcp memory 200x1 20.0 1.25 0.0% 0.50 slower" in lines
    assert lines[-2] == (
        "24 samples of 4 rounds, 0 disturbed; 24,000 messages measured."
    )
    assert lines[-1] == "Over all 2 cells: CPU 1.25, slower."
