"""The command line, read by argparse; the words after a command are taken apart here.

argparse wants all words in one place; people write ``send bob --as ada hello``.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final, NoReturn, get_type_hints

from chatapp.commands import COMMANDS, Command
from chatapp.errors import UsageWrong
from chatapp.exit_codes import ExitCode
from chatapp.settings import Option, options

FILE: Final = "config"
_VERSION_HELP: Final = "print the version"
_EXAMPLES: Final = """\
examples:
  chatcore serve --store sqlite:///chat.db
  chatcore serve --host 0.0.0.0 --tls-certificate cert.pem --tls-key key.pem
  chatcore client
  chatcore demo
  chatcore send bob hello --as ada
  chatcore receive --as bob --json

Settings come from flags, then from CHATCORE_… variables (CHATCORE_PORT=7400), then from
the file of serve --config, then from the defaults. docs/settings.md has them all,
docs/scripting.md tells how to use the commands from create on in scripts.
"""


class _Parser(argparse.ArgumentParser):
    """Leaves it to others to say what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise UsageWrong(self.prog, message)


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(
            option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=_VERSION_HELP
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # it takes as long to import as all the rest

        try:
            found = version("chatcore")
        except PackageNotFoundError:
            found = "(a source tree that is not installed)"
        sys.stdout.write(f"chatcore {found}\n")
        parser.exit()


def parse(arguments: Sequence[str]) -> tuple[Command, list[Option], dict[str, object]]:
    """The command that was asked for, its settings, and what was given of them.

    Ends the process after ``--help`` and ``--version``.

    Raises:
        UsageWrong: there is no such command or flag, or a word too many or too few.
    """
    parser, subs = _parsers()
    if not arguments or arguments[0] not in subs:
        parser.parse_args(arguments)
        raise UsageWrong(parser.prog, "the command comes first")
    command, sub = COMMANDS[arguments[0]], subs[arguments[0]]
    known = options(command.load_settings())
    _fill(sub, command, known)
    flags, words = _part(known, arguments[1:])
    given = vars(parser.parse_args([arguments[0], *flags]))
    return command, known, given | _name_words(sub, known, words)


def overview() -> str:
    """What ``chatcore --help`` prints."""
    return _parsers()[0].format_help()


def _parsers() -> "tuple[_Parser, dict[str, _Parser]]":
    """The command line's parser, and those of the subcommands, still empty."""
    parser = _Parser(
        prog="chatcore",
        description="One chat over raw TCP, WebSocket, gRPC or HTTP: server, client, "
        "demo, and commands for scripts.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version)
    chosen = parser.add_subparsers(metavar="COMMAND", required=True)
    subs = {
        name: chosen.add_parser(
            name,
            help=command.help,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        for name, command in COMMANDS.items()
    }
    return parser, subs


def _fill(
    parser: argparse.ArgumentParser, command: Command, known: list[Option]
) -> None:
    """Give the parser of a subcommand its flags and its help."""
    words = [option for option in known if option.word]
    parser.description = f"{command.help[0].upper()}{command.help[1:]}."
    if words:
        shown = [f"  {it.metavar:<20}  {it.help}" for it in words]
        parser.description += "\n\n" + "\n".join(shown)
        parser.usage = " ".join([parser.prog, "[flags]", *map(_usage, words)])
    for option in known:
        if option.is_limits:
            parser.epilog = _limits(option)
    if command.is_one_shot:
        parser.epilog = _statuses()
    if command.has_file:
        parser.add_argument(
            f"--{FILE}", metavar="FILE", help="a TOML file of these settings"
        )
    for option in known:
        if not option.word:
            _add(parser, option)


def _part(known: list[Option], arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with their values, and words; after ``--`` all are words."""
    takes_value = {it.flag for it in known if not it.word and it.kind is not bool}
    takes_value.add(f"--{FILE}")
    flags: list[str] = []
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            words += rest
        elif not argument.startswith("-") or argument == "-":
            words.append(argument)
        else:
            flags.append(argument)
            if argument in takes_value:
                flags += [value for value in [next(rest, None)] if value is not None]
    return flags, words


def _name_words(
    parser: argparse.ArgumentParser, known: list[Option], words: list[str]
) -> dict[str, object]:
    """Which word is which setting; an optional one that is empty is not there."""
    named: dict[str, object] = {}
    left = list(words)
    for option in known:
        if option.word == "rest" and left:
            named[option.name], left = left, []
        elif option.word == "one" and not left:
            parser.error(f"{option.metavar} is missing")
        elif option.word in {"one", "optional"} and left:
            word = left.pop(0)
            if word or option.word == "one":
                named[option.name] = word
    if left:
        # Not repeated: it may be a password.
        parser.error(f"{len(left)} more than it takes, of words that are no flags")
    return named


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    """A flag; its value stays a text until all sources are merged."""
    text = argparse.SUPPRESS if option.hidden else option.help + _default(option)
    if option.kind is bool:
        parser.add_argument(
            option.flag, dest=option.name, action="store_true", help=text
        )
    elif option.repeats:
        parser.add_argument(
            option.flag,
            dest=option.name,
            action="append",
            metavar=option.metavar,
            help=text,
        )
    else:
        shown = option.metavar or "|".join(option.choices)
        parser.add_argument(option.flag, dest=option.name, metavar=shown, help=text)


def _usage(option: Option) -> str:
    """A word as a usage line has it."""
    match option.word:
        case "rest":
            return f"[{option.metavar} …]"
        case "optional":
            return f"[{option.metavar}]"
        case _:
            return option.metavar


def _default(option: Option) -> str:
    default = getattr(option.default, "value", option.default)
    if isinstance(default, str | int | float) and default not in {"", False}:
        return f" (default: {default})"
    return ""


def _limits(option: Option) -> str:
    """Every limit and its default, for the help."""
    defaults: object = option.default
    names = get_type_hints(type(defaults))
    lines = [f"  {it:<22} {getattr(defaults, it):>12,}" for it in names]
    return "\n".join(["limits and their defaults:", *lines])


def _statuses() -> str:
    """Every exit status and its meaning, for the help."""
    lines = [f"  {it:>3}  {it.meaning}" for it in ExitCode]
    return "\n".join(["exit status:", *lines])
