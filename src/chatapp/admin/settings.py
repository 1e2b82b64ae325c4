"""What can be set in ``chatcore admin``."""

from dataclasses import dataclass
from typing import Final, Literal

from chatapp.errors import SettingWrong
from chatapp.settings import setting

_WORDS: Final = """\
one of
      sessions                    who is connected, or may resume
      sessions end NAME           end a session; its client does not come back by itself
      mailboxes [NAME|PATTERN]    what waits, in numbers
      accounts [list [PATTERN]]   who has an account
      accounts create NAME        make an account
      accounts reset NAME         give it another password; its sessions and tokens end
      accounts delete NAME        delete it, after a look at what that would do
      accounts export NAME        all that is kept about it, as an object a line
      invite                      make a code that allows an account
      invitations [list]          those that still do, each by an ID
      invitations revoke ID|CODE  have one allow nothing any more
      limits [NAME=VALUE …]       show the limits, or change some while it runs"""

_MOST_WORDS: Final = 1000

TAKES: Final[dict[str, tuple[int, int]]] = {
    "sessions": (0, 0),
    "sessions end": (1, 1),
    "mailboxes": (0, 1),
    "accounts": (0, 0),
    "accounts list": (0, 1),
    "accounts create": (1, 1),
    "accounts reset": (1, 1),
    "accounts delete": (1, 1),
    "accounts export": (1, 1),
    "invite": (0, 0),
    "invitations": (0, 0),
    "invitations list": (0, 0),
    "invitations revoke": (1, 1),
    "limits": (0, _MOST_WORDS),
}
"""How many words each command has after it, at the least and at the most."""

_FLAGS: Final[dict[str, str]] = {
    "inbox": "accounts delete",
    "outbox": "accounts delete",
    "dry_run": "accounts delete",
    "yes": "accounts delete",
    "out": "accounts export",
    "uses": "invite",
    "days": "invite",
}
"""Flags that are for one command, and for which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """Settings of ``chatcore admin``."""

    words: tuple[str, ...] = setting((), help=_WORDS, metavar="COMMAND", word="rest")
    admin_socket: str = setting(
        "",
        help="the socket of serve --admin-socket",
        metavar="PATH",
        called="--socket",
    )
    json: bool = setting(
        default=False, help="print one JSON object a line, errors too", here_only=True
    )
    password_file: str = setting(
        "",
        help="accounts create, reset: read the new password from this file, or with - "
        "from stdin; without, from CHATCORE_PASSWORD, or asked for on the terminal",
        metavar="FILE",
    )
    inbox: Literal["discard", "must-be-empty"] | None = setting(
        None,
        help="accounts delete: drop what waits for the account and tell the senders, "
        "or refuse while anything does (default: discard)",
        here_only=True,
    )
    outbox: Literal["keep", "retract"] | None = setting(
        None,
        help="accounts delete: leave what it sent and nobody received yet, or take it "
        "back (default: keep)",
        here_only=True,
    )
    dry_run: bool = setting(
        default=False,
        help="accounts delete: only print what would be done",
        here_only=True,
    )
    yes: bool = setting(
        default=False, help="accounts delete: do not ask before", here_only=True
    )
    out: str = setting(
        "",
        help="accounts export: write it to this new file, which only this user may "
        "read, and not to stdout",
        metavar="FILE",
        here_only=True,
    )
    uses: int | None = setting(
        None,
        help="invite: how many accounts it allows (default: 1)",
        metavar="N",
        here_only=True,
    )
    days: int | None = setting(
        None,
        help="invite: for how long (default: 7)",
        metavar="DAYS",
        here_only=True,
    )

    def __post_init__(self) -> None:
        """Refuse what is no command, or what it does not take."""
        if not self.admin_socket:
            raise SettingWrong(
                "Say where the server listens: --socket PATH, or CHATCORE_ADMIN_SOCKET."
            )
        least, most = TAKES[self.command]
        if not least <= len(self.names) <= most:
            known = "no NAME" if not most else "one NAME"
            raise SettingWrong(f"admin {self.command} takes {known}.")
        for word in self.names if self.command == "limits" else ():
            if "=" not in word:
                raise SettingWrong(f"A limit is NAME=VALUE, not {word!r}.")
        for name, command in _FLAGS.items():
            if getattr(self, name) not in {None, False, ""} and self.command != command:
                flag = name.replace("_", "-")
                raise SettingWrong(f"--{flag} is for admin {command}.")
        for name, number in (("uses", self.uses), ("days", self.days)):
            if number is not None and number < 1:
                raise SettingWrong(f"--{name} is at least 1.")

    @property
    def command(self) -> str:
        """Which command it is, by its one or two words."""
        for length in (2, 1):
            command = " ".join(self.words[:length])
            if command in TAKES:
                return command
        known = ", ".join(TAKES)
        raise SettingWrong(f"The words after admin are one of: {known}.")

    @property
    def names(self) -> tuple[str, ...]:
        """The words after the command."""
        return self.words[len(self.command.split()) :]
