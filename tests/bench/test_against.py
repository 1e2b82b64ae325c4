"""``--against`` finds what was planted, and nothing where the server is the same.

These are its shortest runs, of one cell and one block; docs/benchmarks.md tells how the
long ones are done by hand.
"""

import json
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from chatbench.against.blocks import MatchSize, run_blocks
from chatbench.against.command import PLANT, headline, run_against
from chatbench.against.judging import is_worse, judge
from chatbench.against.sources import Tree, this_tree
from chatbench.errors import CannotCompare
from chatbench.machine import choose_cores
from chatbench.request import BenchRequest
from chatbench.results import Ratio
from chatbench.rounds import RunContext

pytestmark = pytest.mark.slow

CELL_S: Final = 3.0
CELLS: Final = headline().cells[:1]


@pytest.mark.alone
def test_a_planted_cost_is_found_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLANT, "1.0")
    wanted = BenchRequest(
        plan="standard",
        command="chatcore bench --against HEAD",
        out=tmp_path,
        transports=(CELLS[0].contestant.transport,),
        stores=(CELLS[0].contestant.store,),
        workloads=(CELLS[0].workload.label,),
        rounds=1,
        against="HEAD",
        fails_on_worse=True,
    )
    said = Console(file=StringIO())

    status = run_against(wanted, output=said, notes=said, cell_s=CELL_S)

    found = json.loads((tmp_path / "against.json").read_bytes())
    assert status == 1
    assert [it.name for it in tmp_path.iterdir()] == ["against.json"]
    assert all("fault" not in it for it in found["samples"])
    assert found["planted_share"] == 1
    assert found["ratios"][0]["finding"] == "higher"
    assert found["ratios"][0]["ratio"] == pytest.approx(2, rel=0.25)


def ratios_of_the_same(folder: Path, seed: int) -> list[Ratio]:
    """What comes out where both versions are the working tree's."""
    tree = this_tree()
    match = MatchSize(new=tree, old=tree, passes=1, budget_s=CELL_S)
    context = RunContext(cores=choose_cores(), folder=folder, seed=seed)
    samples = list(run_blocks(CELLS, match, context, Console(file=StringIO())))
    assert [it.fault for it in samples if not it.is_valid] == []
    return judge(CELLS, samples, seed=seed)


@pytest.mark.alone
def test_the_same_server_twice_is_not_found_worse(tmp_path: Path) -> None:
    # Chance finds a difference now and then, and a difference would stay there.
    runs = (ratios_of_the_same(tmp_path, seed) for seed in range(1, 4))

    found = next((it for it in runs if not is_worse(it)), None)

    assert found is not None
    assert {it.rounds for it in found} == {4}
    assert all(it.ratio is not None for it in found)


def test_a_commit_whose_server_does_not_start_is_told(tmp_path: Path) -> None:
    command = tmp_path / "src" / "chatapp"
    command.mkdir(parents=True)
    (command / "__init__.py").touch()
    (command / "__main__.py").write_text("raise SystemExit('There is no serve here')")
    old = Tree("0123456789", command.parent)
    match = MatchSize(new=this_tree(), old=old, passes=1, budget_s=CELL_S)
    context = RunContext(cores=choose_cores(), folder=tmp_path, seed=1)

    with pytest.raises(CannotCompare, match=r"0123456789.*There is no serve here"):
        list(run_blocks(CELLS, match, context, Console(file=StringIO())))
