"""``chatcore demo``: real conversations through a real server, each message counted.

A server process is started with a SQLite store in a temporary folder; clients of this
process replay conversations of the Chit-Chat dataset over it, and compare what arrived
with what was sent. Anything lost, repeated or out of order is exit status 1.
"""

import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chatapp.command_settings import DemoSettings
from chatapp.connecting import transports_in
from chatapp.demo.dataset import ConversationSource, load
from chatapp.demo.display import ReplayDisplay
from chatapp.demo.replay import Replay
from chatapp.demo.script import write_script
from chatapp.demo.server import start_server
from chatapp.errors import CannotWrite, ReplayWrong
from chatapp.event_loops import run_on

_TERMINATED: Final = 143
_FULL_SPEAKERS: Final = 64


def run(settings: DemoSettings) -> int:
    """Replay, and show it; the exit status.

    Raises:
        DatasetMissing: ``--full`` without the dataset.
        ServerFailed: the server did not start or stop as it should.
        ReplayWrong: a message was lost, repeated or out of order.
    """
    display = ReplayDisplay()
    try:
        source = load(None if settings.full else settings.conversations)
        return run_on("auto", _replay(settings, source, display))
    except asyncio.CancelledError:
        return _TERMINATED


async def _replay(
    settings: DemoSettings, source: ConversationSource, display: ReplayDisplay
) -> int:
    _cancel_on_sigterm()
    script = write_script(source.conversations)
    pace_s = 0.0 if settings.full else settings.pace
    transports = transports_in(settings.transport)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="chatcore-demo-")))
        async with start_server(transports, folder) as server:
            display.open(source, script, server)
            opened.enter_context(display.progress(script, shown=settings.full))
            replay = Replay(script, server.urls, settings.codec, display, pace_s=pace_s)
            figures = await replay.run(speakers=_FULL_SPEAKERS)
    display.close(figures)
    if settings.json:
        text = json.dumps(figures.as_json(), indent=2) + "\n"
        _write(Path(settings.json), text)
    if figures.is_wrong:
        raise ReplayWrong("The replay is not what was sent; see the figures above.")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}.") from error


def _cancel_on_sigterm() -> None:
    """Let SIGTERM end the demo in order: its server and its folder go with it."""
    if sys.platform == "win32":
        return
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
