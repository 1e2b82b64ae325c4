"""What a message costs in a store: µs of process CPU to deposit and acknowledge it.

Pairs of accounts, each with one caller that deposits a batch under new keys, waits for
the results, and acknowledges it, as a server under load does. Run it as::

    PYTHONPATH=src python benchmarks/store_cost.py [URL...]

Without a URL it takes ``memory:`` and a new SQLite file in a temporary folder: on a
disk that syncs, or the figures say nothing about one. ``chatbench.micro`` does the
measuring.
"""

import asyncio
import sys
import tempfile

from chatbench.micro import BODY, PAIRS, store_cost


def main() -> None:
    """Measure the stores that the command line names."""
    with tempfile.TemporaryDirectory() as folder:
        for url in sys.argv[1:] or ["memory:", f"sqlite:///{folder}/cost.db"]:
            costs = asyncio.run(store_cost(url))
            print(f"{url.partition(':')[0]}, {PAIRS} callers, {len(BODY)}-byte bodies")
            for batch, cost_us in costs.items():
                print(f"{batch:>10} {cost_us:>8.1f} µs CPU a message")


if __name__ == "__main__":
    main()
