"""What the demo shows: the talk of one conversation, progress, and the figures."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from chatapp.console import CommandConsole
from chatapp.demo.audit import Figures
from chatapp.demo.dataset import INSTALL, ConversationSource
from chatapp.demo.script import Scene, Script
from chatapp.demo.server import Server
from chatapp.sanitize import sanitize
from chatcore.events import Delivered

_NAMES: Final = (
    *("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gail", "Hal", "Ida", "Jon", "Kit"),
    *("Lea", "Max", "Nia", "Otto", "Pia", "Quin", "Rosa", "Sven", "Tara", "Uma", "Vic"),
    *("Wes", "Xena", "Yves", "Zoe"),
)
_MOST_WAITED: Final = 10
_STYLES = ("cyan", "green")


class ReplayDisplay:
    """Shows a replay on stdout, as people come, go and hear."""

    def __init__(self) -> None:
        self._console = CommandConsole(highlight=False)
        self._names: dict[str, str] = {}
        self._waited: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._shown: Mapping[str, str] = {}
        self._styles: Mapping[str, str] = {}
        self._to_show = 0
        self._scene: Scene | None = None
        self._is_on = False
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def open(self, source: ConversationSource, script: Script, server: Server) -> None:
        """Say what is going to happen."""

        def show(text: str) -> None:
            self._console.print(text, soft_wrap=True)

        if source.is_sample:
            whole = "--full" if source.is_whole_here else INSTALL
            show(f"This is a sample; for the whole dataset: {whole}\n")
        accounts = len(script.senders) + len(script.listeners)
        show(
            f"{script.scenes:,} conversations of {source.told}: "
            f"{script.messages:,} messages, {accounts:,} accounts."
        )
        show(
            f"Server: process {server.process} on {', '.join(server.urls)}, "
            "with SQLite in a temporary folder.\nIts passwords are hashed insecurely, "
            "which only this demo does, so that the accounts are made at once."
        )
        if script.shown is not None:
            self._shown = {it: self._name_of(it) for it in script.shown.people}
            self._styles = dict(zip(script.shown.people, _STYLES, strict=False))
            self._scene = script.shown
            self._to_show = script.shown.sendable
            show(
                "One of the conversations, as its people receive it (the names are "
                "made up, the dataset has ids):\n"
            )

    @contextmanager
    def progress(self, script: Script, *, shown: bool) -> Iterator[None]:
        """A bar of messages that have arrived, while the block runs."""
        if not shown:
            yield
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as self._progress:
            self._task = self._progress.add_task("delivered", total=script.sendable)
            yield
        self._progress = None

    # ---- what happens

    def came(self, name: str, *, queued: int) -> None:
        """Somebody is online; so many messages had waited."""
        waited = f"; {queued} waited" if queued else ""
        self._tell(name, f"comes online{waited}")

    def left(self, name: str) -> None:
        """Somebody is offline."""
        self._tell(name, "goes offline")

    def heard(self, message: Delivered, recipient: str, *, from_queue: bool) -> None:
        """A message was handed over."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)
        sender = message.sender
        if from_queue:
            self._waited[recipient][sender] += 1
        if (
            self._is_on
            and self._to_show
            and sender in self._shown
            and recipient in self._shown
        ):
            self._to_show -= 1
            line = Text(f"  {self._shown[sender]}: ", style=self._styles[sender])
            line.append(sanitize(message.body), style="default")
            if from_queue:
                line.append("  (from the queue)", style="dim")
            self._console.print(line, soft_wrap=True)

    def began(self, scene: Scene) -> None:
        """A conversation begins."""
        self._is_on = self._is_on or scene is self._scene

    def _tell(self, name: str, what: str) -> None:
        """Until the last message of the conversation that is shown has arrived."""
        if self._is_on and self._to_show and name in self._shown:
            self._console.print(Text(f"  -- {self._shown[name]} {what}", style="dim"))

    def _name_of(self, account: str) -> str:
        """A name that is made up, since the dataset has ids; the same each time."""
        if account not in self._names:
            times, place = divmod(len(self._names), len(_NAMES))
            suffix = f" {times + 1}" if times else ""
            self._names[account] = f"{_NAMES[place]}{suffix}"
        return self._names[account]

    def _show_waited(self) -> None:
        """What waited for whom until a login: most first."""
        if not self._waited:
            return
        table = Table(title="Mail that waited for a login", title_justify="left")
        table.add_column("for")
        table.add_column("messages", justify="right")
        table.add_column("from")
        waited = sorted(self._waited.items(), key=lambda it: -it[1].total())
        for recipient, senders in waited[:_MOST_WAITED]:
            told = ", ".join(self._name_of(it) for it in senders)
            table.add_row(self._name_of(recipient), f"{senders.total():,}", told)
        others = waited[_MOST_WAITED:]
        if others:
            total = sum(senders.total() for _, senders in others)
            table.add_row(f"{len(others):,} others", f"{total:,}", "")
        self._console.print()
        self._console.print(table)

    def close(self, figures: Figures) -> None:
        """Show what it came to."""
        self._show_waited()
        table = Table(
            title="Every message accounted for",
            title_justify="left",
            show_header=False,
        )
        table.add_column()
        table.add_column(justify="right")
        for name, number in (
            ("messages in the conversations", figures.messages),
            ("stored by the server", figures.sent),
            ("refused (a message is not empty)", figures.refused),
            ("delivered while online", figures.delivered_live),
            ("delivered from the queue", figures.delivered_from_queue),
        ):
            table.add_row(name, f"{number:,}")
        rate = figures.delivered / max(figures.seconds, 0.001)
        table.add_row("seconds", f"{figures.seconds:,.1f}")
        table.add_row("delivered a second", f"{rate:,.0f}")
        self._console.print()
        self._console.print(table)
        verdict = (
            f"{figures.lost:,} lost, {figures.duplicated:,} duplicated, "
            f"{figures.out_of_order:,} out of order"
        )
        style = "bold red" if figures.is_wrong else "bold green"
        self._console.print(Text(verdict, style=style))
