"""What became of a change of password whose answer was lost with its link (A6).

A token that was given before a change does not outlive it. So a session that resumes
shows that nothing was changed, and the change is asked again. Otherwise the client logs
in again, with the newest password first: whichever is right tells how far it came. A
server that keeps its tokens (an older one, or one that was changing while the session
was resumed) refuses the second change, since the old password is wrong by then; that
the new one is right is then seen by changing it to itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from chatcore.commands import ChangePassword, Login
from chatcore.errors import (
    ChatError,
    LoginRequired,
    Outage,
    OutcomeUnknown,
    Refusal,
    WrongCredentials,
)


class Try(NamedTuple):
    """A login to try; if it succeeds, the changes of these ids have happened."""

    login: Login
    changed: tuple[int, ...]


def logins_to_try(
    login: Login, changes: Sequence[tuple[int, ChangePassword]]
) -> list[Try]:
    """What to log in with again, the likeliest last.

    ``changes`` are those by id that were asked and not answered, in order.
    """
    tries = [Try(login, ())]
    for command_id, change in changes:
        changed = (*tries[-1].changed, command_id)
        tries.append(Try(replace(login, password=change.new), changed))
    return tries


def after_refused_repeat(
    change: ChangePassword, refusal: Refusal
) -> ChangePassword | ChatError:
    """What to ask instead, or what to raise, where a repeated change is refused."""
    if isinstance(refusal, WrongCredentials) and change.old != change.new:
        return ChangePassword(change.new, change.new)
    if isinstance(refusal, Outage | LoginRequired):
        return OutcomeUnknown()
    return refusal
