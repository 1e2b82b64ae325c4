"""What a refused command means to an audit."""

from contextlib import suppress

from chatcore.accounts import Accounts
from chatcore.commands import (
    ChangePassword,
    Command,
    Create,
    Delete,
    Login,
    Prove,
    Resume,
)
from chatcore.errors import InvalidUsername, Refusal
from chatcore.ids import Username
from chatcore.model import AuditAction, AuditEvent, Origin
from chatcore.sessions import Session


def event_of_refusal(
    command: Command,
    refusal: Refusal,
    origin: Origin,
    session: Session | None,
    accounts: Accounts,
) -> AuditEvent | None:
    """What to record of a command that was refused; None when it takes no password.

    ``session`` is the one on whose connection it was asked. A token alone is no more
    than a link that comes back.
    """
    match command:
        case Create(username=name):
            action = AuditAction.CREATE
        case Login(username=name):
            action = AuditAction.LOGIN
        case Delete(username=name):
            action = AuditAction.DELETE
        case Resume(proof=proof) if proof:
            return AuditEvent(
                action=AuditAction.PROVE, origin=origin, username=None, refusal=refusal
            )
        case ChangePassword() | Prove() if session is not None:
            changes = isinstance(command, ChangePassword)
            return AuditEvent(
                action=AuditAction.CHANGE_PASSWORD if changes else AuditAction.PROVE,
                origin=origin,
                username=session.username,
                account=session.account,
                refusal=refusal,
            )
        case _:
            return None
    username = name_in_audit(name, refusal, accounts)
    return AuditEvent(action=action, origin=origin, username=username, refusal=refusal)


def name_in_audit(name: str, refusal: Refusal, accounts: Accounts) -> Username | None:
    """A name that was given, as an audit has it; None where nobody can have it."""
    if not isinstance(refusal, InvalidUsername):
        # It may have been refused before its name was looked at.
        with suppress(InvalidUsername):
            return accounts.prepare(name)
    return None
