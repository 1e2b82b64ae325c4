"""A person at the page of ``chatcore serve``, and one at the library."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page

from tests.app.processes import CHEAP, COMMAND, RunningServer, running_server
from tests.browser.chromium import new_page
from transports import connect
from transports.base import parse_address
from transports.client.client import Client

PASSWORD: Final = "correct horse"
PHONE: Final = {"width": 360, "height": 640}
DESKTOP: Final = {"width": 1180, "height": 760}
LISTENERS: Final = ("tcp", "ws", "http")


@contextmanager
def serving_the_page(
    *flags: str, store: str = "memory:", ports: tuple[int, int, int] = (0, 0, 0)
) -> Iterator[RunningServer]:
    """The command, on TCP, WebSocket and HTTP, in this order."""
    listening = [
        flag
        for scheme, port in zip(LISTENERS, ports, strict=True)
        for flag in ("--listen", f"{scheme}://127.0.0.1:{port}")
    ]
    with running_server(
        *listening,
        *("--store", store, *CHEAP, *flags),
        listeners=len(LISTENERS),
        program=COMMAND,
    ) as server:
        yield server


def ports_of(server: RunningServer) -> tuple[int, int, int]:
    """Where a server listens, for one that takes its place."""
    tcp, websocket, http = (parse_address(it).port for it in server.urls)
    return tcp, websocket, http


def on_disk(folder: Path) -> str:
    """The URL of a store in a folder."""
    return f"sqlite:///{folder / 'chat.db'}"


@asynccontextmanager
async def talking(server: RunningServer, name: str) -> AsyncIterator[Client]:
    """Somebody at the library, over raw TCP."""
    async with connect(server.urls[0]) as client:
        await client.login(name, PASSWORD, create=True)
        yield client


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in front of a tab."""

    tab: Page

    async def come(self, server: RunningServer) -> None:
        """Open the page of a server."""
        await self.tab.goto(server.urls[2].removesuffix("chat"))
        await self.tab.get_by_label("Name").wait_for()

    async def sign_up(self, name: str) -> None:
        """Make an account, on a page that is open."""
        await self.tab.get_by_role("button", name="Create one").click()
        await self.fill_in(name, PASSWORD)
        await self.tab.get_by_role("button", name="Create account").click()
        await self.tab.get_by_role("heading", name=name, exact=True).wait_for()

    async def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Sign in, on a page that is open, whatever comes of it."""
        await self.fill_in(name, password)
        await self.tab.get_by_role("button", name="Sign in", exact=True).click()

    async def fill_in(self, name: str, password: str) -> None:
        await self.tab.get_by_label("Name").fill(name)
        await self.password.fill(password)

    @property
    def password(self) -> Locator:
        return self.tab.get_by_role("textbox", name="Password", exact=True)

    async def choose(self, name: str) -> None:
        """Open the talk with somebody."""
        await self.row(name).click()
        await self.tab.get_by_role("heading", name=name, exact=True).wait_for()

    def row(self, name: str) -> Locator:
        """Somebody in the list of people."""
        people = self.tab.get_by_role("navigation", name="People")
        return people.get_by_role("button").filter(
            has=self.tab.get_by_text(name, exact=True)
        )

    async def say(self, name: str, body: str) -> None:
        """Send a message in the talk that is open."""
        await self.text(name).fill(body)
        await self.text(name).press("Enter")

    def text(self, name: str) -> Locator:
        """Where a message to somebody is typed."""
        return self.tab.get_by_label(f"Message to {name}")

    def message(self, body: str) -> Locator:
        """The row of a message."""
        return self.tab.locator("#window li.message").filter(has_text=body)

    async def sees(self, body: str, state: str) -> None:
        """Wait for a message of one's own to have come so far."""
        row = self.message(body)
        await row.get_by_text(state, exact=True).wait_for()

    async def open_dialog(self, name: str) -> None:
        """Choose something in the menu of the account."""
        await self.tab.get_by_role("button", name="Account", exact=True).click()
        await self.tab.get_by_role("button", name=name).click()
        await self.tab.get_by_role("dialog").wait_for()

    async def log_out(self, *, forgets: bool = False) -> None:
        """Log out, and wait to be asked who it is."""
        await self.open_dialog("Log out…")
        if forgets:
            await self.tab.get_by_label("Forget the conversations").check()
        await self.tab.get_by_role("button", name="Log out", exact=True).click()
        await self.tab.get_by_text("You are logged out").wait_for()


@asynccontextmanager
async def person_in(context: BrowserContext) -> AsyncIterator[Person]:
    """Somebody with a tab; what the page's policy has refused to it fails the end."""
    async with new_page(context) as tab:
        refused: list[str] = []

        def note(said: ConsoleMessage) -> None:
            if "Content Security" in said.text:
                refused.append(said.text)

        tab.on("console", note)
        yield Person(tab)
        assert not refused, refused


@asynccontextmanager
async def person_at(
    server: RunningServer, context: BrowserContext
) -> AsyncIterator[Person]:
    """Somebody who has opened the page."""
    async with person_in(context) as person:
        await person.come(server)
        yield person
