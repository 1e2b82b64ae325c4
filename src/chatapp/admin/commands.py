"""What the operator may ask of a running server: each command by its name.

A command takes the arguments of a request, and gives items and at last what the end
says. All that it does is a call of ``chatcore.admin.Admin``.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias, TypeVar, assert_never

from chatapp.backup_record import fields_of
from chatapp.errors import SettingWrong
from chatapp.values import Given, make_limits
from chatcore import Chat, Registration
from chatcore.commands import InboxAction, OutboxAction
from chatcore.limits import DAY_MS, FIXED_LIMITS, Limits
from chatcore.model import Bounce, Mail, Message, SentMessage
from chatcore.reports import AccountExport, AccountStatus, MailboxStatus, SessionStatus

E = TypeVar("E", bound=Enum)

_DAYS: Final = 7
_MOST_USES: Final = 1_000_000
_MOST_DAYS: Final = 3650

Item: TypeAlias = Mapping[str, object]


class ArgumentWrong(Exception):
    """An argument that is missing, is no such thing, or is not known."""


@dataclass(frozen=True, slots=True)
class Done:
    """The last thing that a command gives: what its end says."""

    fields: Item


Answers: TypeAlias = AsyncGenerator[Item | Done | None, None]
"""Items, and at last ``Done``; None where others should have a turn."""


class Arguments:
    """The arguments of one request, each taken once, by its kind."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._left = dict(given)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it has to be there."""
        value = self._left.pop(name, default)
        if not isinstance(value, str):
            raise ArgumentWrong(f"{name} is a text")
        return value

    def truth(self, name: str) -> bool:
        """True or false; false where it is not there."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise ArgumentWrong(f"{name} is true or false")
        return value

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number above 0."""
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ArgumentWrong(f"{name} is a whole number")
        if not 0 < value <= most:
            raise ArgumentWrong(f"{name} is 1 to {most}")
        return value

    def choice(self, name: str, choices: Mapping[str, E], default: str) -> E:
        """One of several."""
        value = self.text(name, default)
        if value not in choices:
            raise ArgumentWrong(f"{name} is one of {', '.join(choices)}")
        return choices[value]

    def table(self, name: str) -> dict[str, object]:
        """Values by name; none where it is not there."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict):
            raise ArgumentWrong(f"{name} is an object")
        return value

    def end(self) -> None:
        """Refuse what nobody has asked for: it may have been meant."""
        if self._left:
            raise ArgumentWrong(f"There is no argument {next(iter(self._left))!r}")


INBOX: Final[Mapping[str, InboxAction]] = {
    "discard": InboxAction.DISCARD,
    "must-be-empty": InboxAction.DELIVER,
}
OUTBOX: Final[Mapping[str, OutboxAction]] = {
    "keep": OutboxAction.KEEP,
    "retract": OutboxAction.RETRACT,
}


async def _sessions(chat: Chat, given: Arguments) -> Answers:
    given.end()
    for status in chat.admin.sessions():
        yield _session(status)
    yield Done({})


async def _sessions_end(chat: Chat, given: Arguments) -> Answers:
    username = given.text("username")
    given.end()
    yield Done({"ended": await chat.admin.end_session(username)})


async def _mailboxes(chat: Chat, given: Arguments) -> Answers:
    pattern = given.text("pattern", "*")
    given.end()
    if "*" in pattern or "?" in pattern:
        async for page in chat.admin.mailboxes(pattern):
            yield None
            for status in page:
                yield _mailbox(status)
    else:
        yield _mailbox(await chat.admin.mailbox(pattern))
    yield Done({})


async def _accounts(chat: Chat, given: Arguments) -> Answers:
    pattern = given.text("pattern", "")
    given.end()
    async for page in chat.admin.accounts(pattern):
        yield None
        for status in page:
            yield _account(status)
    yield Done({})


async def _accounts_create(chat: Chat, given: Arguments) -> Answers:
    username, password = given.text("username"), given.text("password")
    given.end()
    yield Done({"account": await chat.admin.create_account(username, password)})


async def _accounts_reset(chat: Chat, given: Arguments) -> Answers:
    username, password = given.text("username"), given.text("password")
    given.end()
    await chat.admin.reset_password(username, password)
    yield Done({})


async def _accounts_delete(chat: Chat, given: Arguments) -> Answers:
    username = given.text("username")
    inbox = given.choice("inbox", INBOX, "discard")
    outbox = given.choice("outbox", OUTBOX, "keep")
    dry_run = given.truth("dry_run")
    given.end()
    receipt = await chat.admin.delete_account(
        username, inbox=inbox, outbox=outbox, dry_run=dry_run
    )
    yield Done(asdict(receipt))


async def _accounts_export(chat: Chat, given: Arguments) -> Answers:
    username = given.text("username")
    given.end()
    async for it in chat.admin.export(username):
        yield None
        yield _exported(it)
    yield Done({})


async def _limits(chat: Chat, given: Arguments) -> Answers:
    changes = given.table("changes")
    given.end()
    now = {name: Given(it, name) for name, it in asdict(chat.limits).items()}
    asked = {name: Given(it, name) for name, it in changes.items()}
    try:
        limits = make_limits(Limits, now | asked)
    except SettingWrong as error:
        raise ArgumentWrong(error.text.removesuffix(".")) from error
    if changes:
        chat.admin.change_limits(limits)
    for name, default in asdict(Limits()).items():
        if not changes or name in changes:
            yield {
                "limit": name,
                "value": getattr(chat.limits, name),
                "default": default,
                "fixed": name in FIXED_LIMITS,
            }
    yield Done({})


async def _invite(chat: Chat, given: Arguments) -> Answers:
    uses = given.number("uses", 1, most=_MOST_USES)
    days = given.number("days", _DAYS, most=_MOST_DAYS)
    given.end()
    invite = await chat.admin.invite(uses=uses, lifetime_ms=days * DAY_MS)
    needed = chat.registration is Registration.INVITE
    yield Done(asdict(invite) | {"needed": needed})


async def _invitations(chat: Chat, given: Arguments) -> Answers:
    given.end()
    async for page in chat.admin.invitations.all():
        yield None
        for status in page:
            yield asdict(status)
    yield Done({})


async def _invitations_revoke(chat: Chat, given: Arguments) -> Answers:
    invitation = given.text("invitation")
    given.end()
    yield Done({"revoked": await chat.admin.invitations.revoke(invitation)})


async def _backup(chat: Chat, given: Arguments) -> Answers:
    path, replace = given.text("path"), given.truth("replace")
    given.end()
    # Only a server that has such a store has imported it.
    from chatstores.sqlite import SqliteStore  # noqa: PLC0415

    store = chat.store
    if not isinstance(store, SqliteStore):
        raise ArgumentWrong("the store of this server has no file to copy")
    yield Done(fields_of(await store.backup(Path(path), replace=replace)))


COMMANDS: Final[Mapping[str, Callable[[Chat, Arguments], Answers]]] = {
    "backup": _backup,
    "sessions": _sessions,
    "sessions end": _sessions_end,
    "mailboxes": _mailboxes,
    "accounts": _accounts,
    "accounts create": _accounts_create,
    "accounts reset": _accounts_reset,
    "accounts delete": _accounts_delete,
    "accounts export": _accounts_export,
    "invite": _invite,
    "invitations": _invitations,
    "invitations revoke": _invitations_revoke,
    "limits": _limits,
}
"""Each command by its name, as it is typed after ``chatcore admin``."""


CHANGES: Final = frozenset(
    {
        "backup",
        "sessions end",
        "accounts create",
        "accounts reset",
        "accounts delete",
        "accounts export",
        "invite",
        "invitations revoke",
        "limits",
    }
)
"""Those that do more than look at numbers: the log tells of them."""


def _session(status: SessionStatus) -> Item:
    return {
        "username": status.username,
        "account": status.account,
        "attached": status.is_attached,
        "transport": status.transport,
        "address": status.address,
        "since_ms": status.since_ms,
        "unacknowledged": status.unacknowledged,
        "held_bytes": status.held_bytes,
    }


def _account(status: AccountStatus) -> Item:
    return {
        "username": status.username,
        "account": status.account,
        "online": status.is_online,
    }


def _mailbox(status: MailboxStatus) -> Item:
    return {
        "username": status.username,
        "account": status.account,
        **asdict(status.contents),
    }


def _exported(it: AccountExport | Mail | SentMessage) -> Item:
    """One line of an export."""
    match it:
        case AccountExport():
            return {
                "type": "account",
                "username": it.username,
                "account": it.account,
                **asdict(it.record),
                "keys_since_ms": it.keys_since_ms,
            }
        case Message():
            kind = "waiting"
        case Bounce():
            kind = "bounce"
        case SentMessage():
            kind = "sent"
        case _:
            assert_never(it)
    return {"type": kind, **it._asdict()}
