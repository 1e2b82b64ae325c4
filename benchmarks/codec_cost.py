"""What each codec costs a message: µs of one CPU, in frames of a batch.

Run it as ``PYTHONPATH=src python benchmarks/codec_cost.py``. ``chatbench.micro`` does
the measuring.
"""

import argparse
import platform
import sys
from importlib.metadata import version

from chatbench.micro import BATCH, BODY, REPEATS, codec_costs


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=BATCH, help="messages in a frame")
    parser.add_argument(
        "--rounds", type=int, default=REPEATS, help="the median of them counts"
    )
    options = parser.parse_args()
    columns = codec_costs(batch=options.batch, repeats=options.rounds)
    libraries = ", ".join(f"{it} {version(it)}" for it in ("protobuf", "msgspec"))
    print(f"Python {platform.python_version()}, {libraries}")
    print(f"µs a message of {len(BODY)} bytes, {options.batch} in a frame")
    print(f"{'':24}" + "".join(f"{name:>10}" for name in columns))
    for title in next(iter(columns.values())):
        costs = "".join(f"{costs[title]:10.2f}" for costs in columns.values())
        print(f"{title.replace('_', ' '):24}{costs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
