"""Leaving nothing on a server that is up already: what tests before have made goes.

Nothing is removed unless all of it can be: somebody's own account stops the run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from chatcore.commands import InboxAction, OutboxAction
from chatcore.errors import AccountInUse, WrongCredentials
from tests.conformance.peers import PASSWORD, WITHIN_S
from transports import Client, connect

SWEEPER: Final = "sweeper"
PASSWORDS: Final = (PASSWORD, "a new password", "8" * 8, "x" * 1024, "pass wörd\0")
"""All that the suite gives to accounts, the usual one first."""

_T = TypeVar("_T")


class NotForTests(Exception):
    """A server that has an account which is not the suite's."""

    def __init__(self, url: str, username: str, reason: str) -> None:
        super().__init__(
            f"The account {username!r} at {url} cannot be removed: {reason}. "
            "--target needs a server for tests: every account on it is deleted."
        )


async def sweep(url: str, codec: str) -> None:
    """Delete every account, with its mail on both sides.

    Raises:
        NotForTests: one of them has a password of its own, or stays logged in.
        CannotConnect: no server is there.
    """
    async with connect(url, codec=codec, reconnect=None) as client:
        try:
            await _patiently(lambda: client.login(SWEEPER, PASSWORD, create=True))
        except (TimeoutError, WrongCredentials) as error:
            raise NotForTests(url, SWEEPER, _why(error)) from error
        usernames = [it.username async for it in client.list()]
        await client.logout()
        passwords = {it: await _password_of(client, url, it) for it in usernames}
        for username, password in passwords.items():
            await client.delete(
                username,
                password,
                inbox=InboxAction.DISCARD,
                outbox=OutboxAction.RETRACT,
            )


async def _password_of(client: Client, url: str, username: str) -> str:
    async def would_delete(password: str) -> str:
        await client.delete(username, password, inbox=InboxAction.DISCARD, dry_run=True)
        return password

    for password in PASSWORDS:
        try:
            return await _patiently(lambda: would_delete(password))  # noqa: B023  # awaited here
        except WrongCredentials:
            continue
        except TimeoutError as error:
            raise NotForTests(url, username, _why(error)) from error
    raise NotForTests(url, username, _why(WrongCredentials()))


async def _patiently(call: Callable[[], Awaitable[_T]]) -> _T:
    """Call until the server has seen that the links of the test before are gone."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                return await call()
            except AccountInUse:
                continue


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "somebody is logged in to it"
    return "its password is none of the suite's"
