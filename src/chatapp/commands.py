"""The subcommands: what each is for, where its settings are and where it runs.

Both are named and not imported: only the one that was asked for is loaded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

from chatapp.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One subcommand.

    Attributes:
        settings: the dataclass of its settings, as ``module:class``.
        runs: the module whose ``run`` takes those settings.
        help: what it does, in a phrase.
        has_file: takes settings from a file as well.
        has_environment: takes settings from the environment as well.
        is_one_shot: does one thing for a script; has ``--json``.
    """

    settings: str
    runs: str
    help: str
    has_file: bool = False
    has_environment: bool = True
    is_one_shot: bool = False

    def load_settings(self) -> type[Settings]:
        """The class of its settings."""
        module, _, name = self.settings.partition(":")
        return cast("type[Settings]", getattr(import_module(module), name))

    def load_run(self) -> Callable[[Settings], int]:
        """What runs it: takes its settings, returns the exit status."""
        return cast("Callable[[Settings], int]", import_module(self.runs).run)


def _one_shot(settings: str, runs: str, text: str) -> Command:
    return Command(
        settings=f"chatapp.oneshot.settings:{settings}",
        runs=f"chatapp.oneshot.{runs}",
        help=text,
        is_one_shot=True,
    )


def _maintenance(settings: str, runs: str, text: str) -> Command:
    return Command(
        settings=f"chatapp.maintenance.settings:{settings}",
        runs=f"chatapp.maintenance.{runs}",
        help=text,
        is_one_shot=True,
    )


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command(
        settings="chatapp.command_settings:ServeSettings",
        runs="chatapp.serve",
        help="run a chat server",
        has_file=True,
    ),
    "admin": Command(
        settings="chatapp.admin.settings:AdminSettings",
        runs="chatapp.admin.command",
        help="look after a running server: sessions, accounts, mailboxes",
        is_one_shot=True,
    ),
    "client": Command(
        settings="chatapp.connecting:TerminalSettings",
        runs="chatapp.client",
        help="chat from a terminal",
    ),
    "demo": Command(
        settings="chatapp.command_settings:DemoSettings",
        runs="chatapp.demo",
        help="watch a server replay real conversations, each message accounted for",
        has_environment=False,
    ),
    "bench": Command(
        settings="chatapp.bench_settings:BenchSettings",
        runs="chatapp.bench",
        help="measure what each transport, codec and store costs, on this machine",
        has_environment=False,
    ),
    "cert": Command(
        settings="chatapp.command_settings:CertSettings",
        runs="chatapp.cert",
        help="make a certificate to try TLS with, and the authority that signs it",
        has_environment=False,
    ),
    "proof": Command(
        settings="chatapp.identity_settings:ProofSettings",
        runs="chatapp.proof",
        help="sign a proof of who a user is, for serve --proof-secret",
    ),
    "create": _one_shot("CreateSettings", "create", "make an account"),
    "send": _one_shot("SendSettings", "send", "send a message, or one for each line"),
    "receive": _one_shot("ReceiveSettings", "receive", "print the messages that wait"),
    "list": _one_shot("ListSettings", "list_accounts", "print who has an account"),
    "password": _one_shot("PasswordSettings", "password", "change a password"),
    "delete": _one_shot("DeleteSettings", "delete", "delete an account"),
    "backup": _maintenance("BackupSettings", "backup", "copy a store's database"),
    "restore": _maintenance("RestoreSettings", "restore", "put a backup in place"),
    "check": _maintenance("CheckSettings", "check", "look whether a database is sound"),
}
