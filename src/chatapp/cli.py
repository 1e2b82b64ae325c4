"""The command ``chatcore``: finds the settings, then runs what was asked for.

What a subcommand needs is imported when it runs, so that ``--help`` and the client
start at once. Exit status: 0 done, 1 failed or refused, 2 asked wrongly, 130 after
Ctrl-C, 141 when nobody reads the output.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn, cast

from chatapp.declared import ClientSettings, DemoSettings, ServeSettings
from chatapp.faults import (
    INTERRUPTED,
    MISUSED,
    PIPE_BROKEN,
    REFUSED,
    CommandFailed,
    ExtraMissing,
)
from chatapp.settings import (
    Layer,
    Option,
    Settings,
    merge,
    options,
    read_environment,
    read_file,
)
from chatapp.values import Given
from chatcore import Limits
from chatcore.errors import ChatError

_FILE: Final = "config"
_VERSION_HELP: Final = "print the version"
# Modules that only an extra of the distribution brings, and which.
_EXTRAS: Final[Mapping[str, str]] = {
    "grpc": "grpc",
    "grpc_health": "grpc",
    "grpc_reflection": "grpc",
    "grpc_status": "grpc",
    "websockets": "websocket",
}
_EXAMPLES: Final = """\
examples:
  chatcore serve --store sqlite:///chat.db
  chatcore client
  chatcore demo

Settings come from flags, then from CHATCORE_… variables (CHATCORE_PORT=7400), then from
the file of serve --config, then from the defaults. docs/settings.md has them all.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """One subcommand: its settings, and where the function that runs it is."""

    settings: type[Settings]
    runs: str
    help: str
    has_file: bool = False
    has_environment: bool = True


_COMMANDS: Final[Mapping[str, _Command]] = {
    "serve": _Command(
        settings=ServeSettings,
        runs="chatapp.serving",
        help="run a chat server",
        has_file=True,
    ),
    "client": _Command(
        settings=ClientSettings, runs="chatapp.client", help="chat from a terminal"
    ),
    "demo": _Command(
        settings=DemoSettings,
        runs="chatapp.demo",
        help="watch a server replay real conversations, each message accounted for",
        has_environment=False,
    ),
}


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")


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
        print(f"chatcore {found}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the console's entry point."""
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except (CommandFailed, ChatError, ImportError, OSError, ExceptionGroup) as error:
        return _fail(_first(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _first(error: Exception) -> Exception:
    """The first of those that several tasks raised, or what it means to a user."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name is not None and name in _EXTRAS:
        install = f"pip install 'chatcore[{_EXTRAS[name]}]'"
        return ExtraMissing(f"This needs {name}: {install}")
    return error


def _fail(error: Exception) -> int:
    """Tell in one line what went wrong, if it is no fault of ours; the exit status."""
    match error:
        case BrokenPipeError():
            # What is left in the buffer must not raise at the interpreter's end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_BROKEN
        case CommandFailed(status=status):
            pass
        case ChatError():
            status = REFUSED
        case _:
            raise error
    line = " ".join(str(error).split())
    print(f"chatcore: {line}", file=sys.stderr)
    return status


def _run(arguments: Sequence[str]) -> int:
    given = vars(_parser().parse_args(arguments))
    command = _COMMANDS[given.pop("command")]
    settings = merge(command.settings, _layers(command, given, os.environ))
    run = cast("Callable[[Settings], int]", import_module(command.runs).run)
    return run(settings)


def _layers(
    command: _Command, given: dict[str, object], environ: Mapping[str, str]
) -> Iterable[Layer]:
    """What each source says, in ascending rank."""
    known = options(command.settings)
    if command.has_file:
        path = given.pop(_FILE, environ.get("CHATCORE_CONFIG"))
        if path:
            yield read_file(known, Path(str(path)))
    if command.has_environment:
        yield read_environment(known, environ)
    flags = {option.name: option.flag for option in known}
    yield {name: Given(value, flags[name]) for name, value in given.items()}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="chatcore",
        description="One chat over raw TCP, WebSocket or gRPC: server, client, demo.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version)
    chosen = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        known = options(command.settings)
        limits = any(option.kind is Limits for option in known)
        sub = chosen.add_parser(
            name,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            epilog=_limits() if limits else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        if command.has_file:
            sub.add_argument(
                f"--{_FILE}", metavar="FILE", help="a TOML file of these settings"
            )
        for option in known:
            _add(sub, option)
    return parser


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    """A flag; its value stays a text until all sources are merged."""
    text = argparse.SUPPRESS if option.hidden else option.help + _default(option)
    if option.kind is bool:
        parser.add_argument(option.flag, action="store_true", help=text)
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
        parser.add_argument(option.flag, metavar=shown, help=text)


def _default(option: Option) -> str:
    default = getattr(option.default, "value", option.default)
    if isinstance(default, str | int | float) and default != "":
        return f" (default: {default})"
    return ""


def _limits() -> str:
    """Every limit and its default, for the help."""
    defaults = Limits()
    lines = [
        f"  {it.name:<22} {getattr(defaults, it.name):>12,}" for it in fields(Limits)
    ]
    return "\n".join(["limits and their defaults:", *lines])
