"""What can be set in the one-shot commands."""

from dataclasses import dataclass
from typing import Literal

from chatapp.connecting import ClientSettings
from chatapp.errors import SettingWrong
from chatapp.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShotSettings(ClientSettings):
    """Settings of every one-shot command."""

    password_file: str = setting(
        "",
        help="read the password from this file; without, from CHATCORE_PASSWORD, or "
        "asked for on the terminal",
        metavar="FILE",
    )
    json: bool = setting(
        default=False,
        help="print one JSON object a line, errors too",
        here_only=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings(OneShotSettings):
    """Settings of every one-shot command that logs in."""

    username: str = setting("", help="who logs in", metavar="NAME", called="--as")

    def __post_init__(self) -> None:
        """Refuse to log in as nobody."""
        # super() does not know a class that slots=True has made again.
        OneShotSettings.__post_init__(self)
        if not self.username:
            raise SettingWrong("Say who logs in: --as NAME, or CHATCORE_USERNAME.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSettings(OneShotSettings):
    """Settings of ``chatcore create``."""

    name: str = setting("", help="the new account's name", metavar="NAME", word="one")
    invitation: str = setting(
        "",
        help="the operator's code that allows it, where one is needed",
        metavar="CODE",
        is_secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSettings(LoginSettings):
    """Settings of ``chatcore send``."""

    recipient: str = setting(
        "", help="whom the message is for", metavar="NAME", word="one"
    )
    text: tuple[str, ...] = setting(
        (),
        help="the message; without, or for -, it is read from stdin",
        metavar="TEXT",
        word="rest",
    )
    lines: bool = setting(
        default=False,
        help="send each line of stdin as a message of its own",
        here_only=True,
    )
    key: str = setting(
        "",
        help="the message's idempotency key, a UUIDv7: repeating the command with it "
        "sends nothing twice",
        metavar="UUID",
        here_only=True,
    )

    def __post_init__(self) -> None:
        """Refuse what contradicts."""
        LoginSettings.__post_init__(self)
        if self.lines and self.text:
            raise SettingWrong("--lines reads the messages from stdin: give no TEXT.")
        if self.lines and self.key:
            raise SettingWrong("--key is for one message, --lines sends several.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSettings(LoginSettings):
    """Settings of ``chatcore receive``."""

    count: int | None = setting(
        None, help="end after so many messages", metavar="N", here_only=True
    )
    wait: float | None = setting(
        None,
        help="receive for so long, also what comes meanwhile; exit status 8 if nothing "
        "does",
        metavar="SECONDS",
        here_only=True,
    )
    follow: bool = setting(
        default=False,
        help="receive until interrupted, also what comes meanwhile",
        here_only=True,
    )

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing here."""
        LoginSettings.__post_init__(self)
        if self.count is not None and self.count < 1:
            raise SettingWrong("--count is at least 1.")
        if self.wait is not None and self.wait < 0:
            raise SettingWrong("--wait is at least 0.")
        if self.follow and self.wait is not None:
            raise SettingWrong("--follow does not end by itself: give no --wait.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings(LoginSettings):
    """Settings of ``chatcore list``."""

    pattern: str = setting(
        "",
        help="only names that match: * and ? stand for any, without them it is a part",
        metavar="PATTERN",
        word="optional",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings(LoginSettings):
    """Settings of ``chatcore password``."""

    new_password_file: str = setting(
        "",
        help="read the new password from this file; without, from "
        "CHATCORE_NEW_PASSWORD, or asked for on the terminal",
        metavar="FILE",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSettings(LoginSettings):
    """Settings of ``chatcore delete``."""

    preset: Literal["deliver+keep", "discard+keep", "discard+retract"] | None = setting(
        None, help="--inbox and --outbox in one word", here_only=True
    )
    inbox: Literal["deliver", "discard"] | None = setting(
        None,
        help="messages that wait for the account: print them, or drop them and tell "
        "their senders (default: deliver)",
        here_only=True,
    )
    outbox: Literal["keep", "retract"] | None = setting(
        None,
        help="messages that it sent and nobody received yet: leave them, or take them "
        "back (default: keep)",
        here_only=True,
    )
    dry_run: bool = setting(
        default=False, help="only print what would be done", here_only=True
    )
    yes: bool = setting(default=False, help="do not ask before", here_only=True)

    def __post_init__(self) -> None:
        """Refuse what contradicts."""
        LoginSettings.__post_init__(self)
        if self.preset and (self.inbox or self.outbox):
            raise SettingWrong("--preset says what --inbox and --outbox say: give one.")
