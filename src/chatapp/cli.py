"""The command ``chatcore``: finds the settings, then runs what was asked for.

What a subcommand needs is imported when it runs, so that ``--help`` and the client
start at once. ``exit_codes`` has the exit statuses.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chatapp.commands import COMMANDS, Command
from chatapp.exit_codes import ExitCode
from chatapp.parser import FILE, overview, parse
from chatapp.settings import Layer, Option, merge, read_environment, read_file
from chatapp.values import Given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the console's entry point."""
    words = sys.argv[1:] if arguments is None else arguments
    # Else gRPC writes a line of its own for each handshake that a stranger breaks off,
    # and, as an error, for each that names another host than the certificate.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        status = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # raised again if it is none of ours
        return _fail(error, as_json=_wants_json(words))
    return status


def _run(arguments: Sequence[str]) -> int:
    if not arguments:
        # On stderr, and no success: a script whose words were lost must notice.
        sys.stderr.write(overview())
        return ExitCode.MISUSED
    with _without_the_collector():
        command, known, given = parse(arguments)
        settings = merge(
            command.load_settings(), _layers(command, known, given, os.environ)
        )
        run = command.load_run()
    return run(settings)


@contextmanager
def _without_the_collector() -> Iterator[None]:
    """Spare what is imported the looks for garbage, which are a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _layers(
    command: Command,
    known: list[Option],
    given: dict[str, object],
    environ: Mapping[str, str],
) -> Iterable[Layer]:
    """What each source says, in ascending rank."""
    if command.has_file:
        path = given.pop(FILE, environ.get("CHATCORE_CONFIG"))
        if path:
            yield read_file(known, Path(str(path)))
    if command.has_environment:
        yield read_environment(known, environ)
    flags = {option.name: option.flag for option in known}
    yield {name: Given(value, flags[name]) for name, value in given.items()}


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether a one-shot command was to talk JSON; it may be what was asked wrongly."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    flags = list(arguments)
    if "--" in flags:
        flags = flags[: flags.index("--")]
    return command is not None and command.is_one_shot and "--json" in flags


def _fail(error: Exception, *, as_json: bool) -> int:
    """Tell in one line what went wrong, if it is no fault of ours; the exit status."""
    # Only a command that failed needs to know what there is to go wrong.
    from chatapp.error_report import first_of, line_for, status_of  # noqa: PLC0415
    from chatapp.errors import Interrupted  # noqa: PLC0415

    error = first_of(error)
    status = status_of(error)
    if status is None:
        raise error
    if status is ExitCode.PIPE_BROKEN:
        # What is left in the buffer must not raise at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif not isinstance(error, Interrupted):
        print(line_for(error, as_json=as_json), file=sys.stderr)
    return status
