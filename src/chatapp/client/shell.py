"""The dialogue: reads lines, asks the server, shows what it answers and what comes.

Mail is shown by a task of its own from a login to the logout; it acknowledges a piece
when it asks for the next, that is, once the piece was shown.
"""

import asyncio
from datetime import UTC, datetime
from typing import assert_never

from chatapp import wording
from chatapp.client.commands import (
    Intent,
    NotUnderstood,
    Verb,
    read_choice,
    read_line,
)
from chatapp.client.screen import Abandoned, Screen, SecretsDiffer
from chatcore.commands import DeliveryMode, InboxAction, OutboxAction
from chatcore.errors import ChatError, Refusal
from transports import Client, LinkDown, LinkEvent, LinkUp


class _InputEnded(Exception):
    """There is no next line."""


class Shell:
    """One person's dialogue with a server.

    Args:
        screen: where it is.
        invitation: the code that ``create`` shows, where one is needed.

    Attributes:
        refused: something was refused, or not understood.
        is_abandoned: it was left by Ctrl-C.
    """

    def __init__(self, screen: Screen, *, invitation: str = "") -> None:
        self._screen = screen
        self._invitation = invitation
        self._client: Client | None = None
        self._link_lost = False
        self._url = ""
        self._mail: asyncio.Task[None] | None = None
        self.refused = False
        self.is_abandoned = False

    def tell_link(self, event: LinkEvent) -> None:
        """Say in a line that the connection was lost, or is there again.

        Whoever has not logged in loses nothing: a server ends such a link after some
        seconds, and the client dials again when it is asked for something.
        """
        if isinstance(event, LinkUp):
            self._url = event.url
        if self._client is None or self._client.username is None:
            return
        if isinstance(event, LinkDown):
            self._screen.show("-- Connection lost; trying to reach the server again.")
        elif self._link_lost:
            self._screen.show(f"-- Connected again to {event.url}.")
        self._link_lost = isinstance(event, LinkDown)

    async def run(self, client: Client) -> None:
        """Carry out line after line, until ``quit``, Ctrl-C or the end of the input.

        Raises:
            chatcore.errors.Closed: the link has ended for good.
        """
        self._client = client
        self._screen.hint(f"Connected to {self._url}; help lists the commands.")
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._carry_out_lines(client, tasks)
                await self._stop_mail()
        except* (ChatError, OSError) as several:
            failure = several.exceptions[0]
        if failure is not None:
            raise failure

    async def _carry_out_lines(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                line = await self._screen.next_command(f"{client.username or ''}> ")
            except Abandoned:
                self.is_abandoned = True
                return
            if line is None:
                return
            try:
                intent = read_line(line)
                if intent is not None:
                    if intent.verb is Verb.QUIT:
                        return
                    await self._carry_out(client, tasks, intent)
            except (Refusal, NotUnderstood) as refusal:
                self.refused = True
                self._screen.show(str(refusal))
            except SecretsDiffer:
                self.refused = True
                self._screen.show("These were two different passwords; try again.")
            except Abandoned:
                self._screen.show("Nothing was done.")
            except _InputEnded:
                return

    async def _carry_out(
        self, client: Client, tasks: asyncio.TaskGroup, intent: Intent
    ) -> None:
        show = self._screen.show
        verb, name, text = intent
        match verb:
            case Verb.CREATE:
                await client.create(
                    name, await self._new_password(), invitation=self._invitation
                )
                show(f"Created {name}.")
                if client.username is None:
                    self._screen.hint(f"To log in, say: login {name}")
            case Verb.LOGIN:
                event = await client.login(name, await self._password("Password: "))
                show(wording.login(event))
                self._mail = tasks.create_task(self._show_mail(client))
            case Verb.SEND:
                show(wording.sent(name, await client.send(name, text)))
            case Verb.LIST:
                await self._list(client, name)
            case Verb.DELIVER:
                show(wording.delivered(await client.deliver()))
            case Verb.PASSWORD:
                old = await self._password("Old password: ")
                await client.change_password(old, await self._new_password())
                show("The password is changed.")
            case Verb.DELETE:
                await self._delete(client, tasks, name or client.username or "")
            case Verb.LOGOUT:
                await client.logout()
                await self._stop_mail()
                show("Logged out.")
            case Verb.HELP:
                for it in Verb:
                    show(f"{it.usage:<16} {it.meaning}")
            case Verb.QUIT:
                pass
            case _:
                assert_never(verb)

    async def _list(self, client: Client, pattern: str) -> None:
        accounts = 0
        async for entry in client.list(pattern):
            accounts += 1
            self._screen.show(wording.entry(entry))
        self._screen.show(wording.listed(accounts))

    async def _delete(
        self, client: Client, tasks: asyncio.TaskGroup, username: str
    ) -> None:
        """Ask what becomes of the messages, tell what is meant, confirm, delete.

        Nothing is asked of whoever does not know the password.
        """
        if not username:
            raise NotUnderstood("Say: delete NAME")
        password = await self._password("Password: ")
        await client.delete(username, password, dry_run=True)
        answer = await self._ask(f"What waits for {username}: [deliver] or discard? ")
        inbox = read_choice(InboxAction, answer)
        answer = await self._ask(f"What {username} has sent: [keep] or retract? ")
        outbox = read_choice(OutboxAction, answer)
        would_be = await client.delete(
            username, password, inbox=inbox, outbox=outbox, dry_run=True
        )
        self._screen.show(f"This would do: {wording.deletion(would_be)}.")
        if await self._ask(f"Delete {username} for ever? yes or [no]: ") != "yes":
            self._screen.show("Nothing was changed.")
            return
        hands_over = inbox is InboxAction.DELIVER and client.username is None
        if hands_over:
            # What waits comes to a session, which ends with the deletion.
            await client.login(username, password, delivery=DeliveryMode.MANUAL)
            self._mail = tasks.create_task(self._show_mail(client))
        try:
            receipt = await client.delete(
                username, password, inbox=inbox, outbox=outbox
            )
        except Refusal:
            if hands_over:
                await client.logout()
                await self._stop_mail()
            raise
        await self._stop_mail()
        self._screen.show(f"Deleted {username}: {wording.deletion(receipt)}.")

    async def _show_mail(self, client: Client) -> None:
        async for piece in client.mail():
            now = datetime.now(UTC).astimezone()
            self._screen.show(wording.mail(piece, now=now))

    async def _stop_mail(self) -> None:
        """End the task that shows mail; what it has shown it has acknowledged."""
        mail, self._mail = self._mail, None
        if mail is not None:
            mail.cancel()
            await asyncio.wait([mail])

    async def _ask(self, prompt: str) -> str:
        return _given(await self._screen.ask(prompt)).strip()

    async def _password(self, prompt: str) -> str:
        return _given(await self._screen.ask_secret(prompt))

    async def _new_password(self) -> str:
        return _given(await self._screen.ask_new_secret("New password: "))


def _given(answer: str | None) -> str:
    if answer is None:
        raise _InputEnded
    return answer
