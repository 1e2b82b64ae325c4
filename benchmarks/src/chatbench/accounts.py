"""Databases with many accounts, made once a run; each cell that lists gets a copy."""

from pathlib import Path

from chatbench.loads.listing import prepare_accounts
from chatbench.plans import Plan


def prepared_accounts(plan: Plan, folder: Path) -> dict[int, Path]:
    """A database for each number of accounts that the plan lists."""
    counts = {it.count for it in plan.workloads if it.name == "list"} - {None}
    made: dict[int, Path] = {}
    for count in sorted(it for it in counts if it is not None):
        path = folder / f"accounts-{count}.db"
        prepare_accounts(f"sqlite:///{path}", count)
        made[count] = path
    return made
