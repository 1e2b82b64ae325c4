"""Faults on purpose, from the command line.

    python -m tests.faults abuse --json FILE

``abuse`` attacks ``chatcore serve`` in every way that is known here, on each transport,
with somebody beside it who has done nothing, and fails when that one is hurt. It runs
from the root of the checkout, against this machine only. The other words are its own
processes.
"""

import argparse
import signal
import sys

from tests.faults.abuse import attacker, bystander, command, logins


def main() -> int:
    """Carry out what was asked; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    words = parser.add_subparsers(dest="word", required=True)
    command.add_arguments(words.add_parser("abuse", help="attack a server"))
    words.add_parser("attacker").add_argument("name")
    watching = words.add_parser("bystander")
    watching.add_argument("url")
    watching.add_argument("transport")
    watching.add_argument("ca", nargs="?", default="")
    words.add_parser("victim")
    options = parser.parse_args()
    match options.word:
        case "abuse":
            # As Ctrl-C does: what was started is ended as well.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            return command.main(options)
        case "attacker":
            return attacker.main(options.name)
        case "bystander":
            return bystander.main(options.url, options.transport, options.ca)
        case _:
            return logins.main()


if __name__ == "__main__":
    sys.exit(main())
