"""Makes docs/rules.md: a section for each rule of the chat, with its tests.

What a rule says and where it is kept comes from docs/rules.toml, the tests from an
in-process collection by pytest of everything under ``tests``, with deselected tests.
``--check`` changes nothing and fails when docs/rules.md is not what would be written
now.
"""

import argparse
import contextlib
import io
import sys
import textwrap
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "docs" / "rules.toml"
PAGE = ROOT / "docs" / "rules.md"

HEADER = """\
# The rules and their tests

Each rule of the chat: what it says, where in the code it is kept, and the tests that
show that it holds. [semantics.md](semantics.md) says why it is so. A test says which
rules it shows with `@pytest.mark.rule("M1")`; the core's own tests use `@rule("M1")`.

A is for accounts, S sessions, M messages, L listing, D deletion, E errors, B bounds,
and W the wire.

Written by `scripts/rules.py` from `docs/rules.toml`; do not edit it here.
"""


class Rule(NamedTuple):
    """A rule of the chat.

    ``text`` says it in full, ``kept`` are the files or folders that keep it, from the
    root of the checkout, and ``later`` is what its first test waits for.
    """

    name: str
    title: str
    text: str
    kept: tuple[str, ...]
    later: str


class Shown(NamedTuple):
    """A test function or method, in a file named from the root of the checkout."""

    file: str
    function: str

    @property
    def sentence(self) -> str:
        """The function's name, to be read."""
        return self.function.removeprefix("test_").replace("_", " ")


class Collector:
    """A plugin of pytest that notes which tests carry which rule."""

    def __init__(self) -> None:
        self.tests: defaultdict[str, set[Shown]] = defaultdict(set)

    @pytest.hookimpl(tryfirst=True)  # before tests are deselected
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note each item once, however many parameters it runs with."""
        for item in items:
            function = getattr(item, "originalname", None) or item.name.split("[")[0]
            test = Shown(item.path.relative_to(ROOT).as_posix(), function)
            for mark in item.iter_markers("rule"):
                for name in mark.args:
                    self.tests[name].add(test)


def read_rules() -> list[Rule]:
    """The rules in the order of docs/rules.toml."""
    with RULES.open("rb") as file:
        rules = tomllib.load(file)
    return [
        Rule(
            name,
            rule["title"],
            " ".join(rule["text"].split()),
            tuple(rule["kept"]),
            rule.get("later", ""),
        )
        for name, rule in rules.items()
    ]


def collect() -> Mapping[str, set[Shown]]:
    """The tests that carry each rule; raises ``SystemExit`` when pytest fails."""
    collector = Collector()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(
            ["--collect-only", "-q", f"--rootdir={ROOT}", str(ROOT / "tests")],
            plugins=[collector],
        )
    if code != pytest.ExitCode.OK:
        sys.exit(f"{told.getvalue()}\nrules: pytest could not collect the tests")
    return collector.tests


def faults(rules: list[Rule], tests: Mapping[str, set[Shown]]) -> list[str]:
    """What is wrong with the marks, a sentence each."""
    known = {rule.name for rule in rules}
    found = [
        f"{test.file}: {test.function} shows {name}, which docs/rules.toml has not"
        for name in sorted(tests.keys() - known)
        for test in sorted(tests[name])
    ]
    for rule in rules:
        if rule.name not in tests and not rule.later:
            found.append(f"no test shows {rule.name}: {rule.title}")
        if rule.name in tests and rule.later:
            found.append(f"{rule.name} has a test now: docs/rules.toml says `later`")
        found += [
            f"{rule.name} is kept in {it}, which does not exist"
            for it in rule.kept
            if not (ROOT / it).exists()
        ]
    return found


def page(rules: list[Rule], tests: Mapping[str, set[Shown]]) -> str:
    """docs/rules.md, whole."""
    rows = ["| Rule | It says, in short |", "|---|---|"]
    for rule in rules:
        title = rule.title.replace("*", "\\*")
        rows.append(f"| [{rule.name}](#{rule.name.lower()}) | {title} |")
    sections = [section(rule, tests.get(rule.name, set())) for rule in rules]
    return "\n".join([HEADER, *rows, *sections])


def section(rule: Rule, tests: set[Shown]) -> str:
    """The section of one rule, after an empty line."""
    kept = ", ".join(f"[`{it}`](../{it})" for it in rule.kept)
    shown = [f"- [{it.sentence}](../{it.file})" for it in sorted(tests)]
    nothing = f"- comes with {rule.later}" if rule.later else "- nothing yet"
    text = textwrap.fill(rule.text, 100, break_long_words=False, break_on_hyphens=False)
    parts = [f"## {rule.name}", text, f"Kept in: {kept}."]
    return "\n".join(
        ["", "\n\n".join([*parts, "Shown by:"]), "", *(shown or [nothing]), ""]
    )


def main() -> int:
    """Write the page, or with ``--check`` compare it; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    only_check = parser.parse_args().check

    rules = read_rules()
    tests = collect()
    found = faults(rules, tests)
    current = page(rules, tests)
    if only_check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != current:
            found.append("docs/rules.md is stale: run scripts/rules.py")
    else:
        PAGE.write_text(current, encoding="utf-8")
    for fault in found:
        print(f"rules: {fault}", file=sys.stderr)
    if not found:
        print(f"rules: {len(rules)} rules, each with its tests in docs/rules.md")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
