"""Writes the tables of refusals and close codes in docs/protocol.md.

They come from ``chatcore.errors``, and their gRPC column from ``transports.grpc``; each
stands between two comments of the page. ``--check`` changes nothing and fails when the
page has other tables than would be written now.
"""

import argparse
import string
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from chatcore.errors import REFUSALS, CloseCode
from transports.grpc.status import status_of, status_of_closing

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
_END: Final = "<!-- end of table -->"


def shown(template: str) -> str:
    """A text for people, with the fields of programs in it as code."""
    return "".join(
        text + (f"`{name}`" if name else "")
        for text, name, _, _ in string.Formatter().parse(template)
    )


def refusals() -> Iterable[str]:
    """A row for each refusal."""
    yield "| code | name | text, with its fields | status on gRPC |"
    yield "|---|---|---|---|"
    for code, kind in sorted(REFUSALS.items()):
        text, status = shown(kind.template), status_of(code).name
        yield f"| {code} | `{kind().name}` | {text} | {status} |"


def close_codes() -> Iterable[str]:
    """A row for each code that ends a link."""
    yield "| code | name | text | come back by oneself | status on gRPC |"
    yield "|---|---|---|---|---|"
    for code in CloseCode:
        back = "yes" if code.may_reconnect else "no"
        status = status_of_closing(code).name
        text = code.text
        yield f"| {int(code)} | `{code.name}` | {text} | {back} | {status} |"


def replaced(page: str, name: str, rows: Iterable[str]) -> str:
    """A page with another table under a name.

    Raises:
        SystemExit: the page has no place for it.
    """
    start = f"<!-- {name}: written by scripts/protocol_tables.py -->\n"
    before, found, rest = page.partition(start)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        sys.exit(f"protocol_tables: {PAGE.name} has no place for the table {name!r}")
    return before + start + "\n" + "\n".join(rows) + "\n\n" + _END + after


def main() -> int:
    """Write the tables, or with ``--check`` compare them; 1 when they differ."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    only_check = parser.parse_args().check

    current = PAGE.read_text(encoding="utf-8")
    wanted = replaced(current, "refusals", refusals())
    wanted = replaced(wanted, "close codes", close_codes())
    if not only_check:
        PAGE.write_text(wanted, encoding="utf-8")
    elif wanted != current:
        print(
            "docs/protocol.md is stale: run scripts/protocol_tables.py", file=sys.stderr
        )
        return 1
    print(f"protocol_tables: {len(REFUSALS)} refusals, {len(CloseCode)} close codes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
