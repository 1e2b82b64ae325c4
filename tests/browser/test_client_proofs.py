"""The browser client shows proofs: who its user is, the application says."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page

from chatcore import Claim, ClaimPurpose, Identity
from chatsystem.clock import SystemClock
from tests.browser.chromium import new_page
from tests.browser.pages import open_client_page, serving_chat, serving_pages, until
from tests.faults.relay import relaying

pytestmark = pytest.mark.external

FETCHES = """(url) => {
  globalThis.fetched = 0;
  return open(url, { proof: async () => `ada ${++fetched}` }).ready;
}"""
WHEN_ONLINE = "chat.state === 'online'"
WHEN_OFFLINE = "heard('state').some((it) => it.state === 'offline')"


class Passes:
    """The application's users: a pass is the user's name and a number.

    Attributes:
        lives_ms: for how long a pass holds from when it is shown; 0 for ever.
        is_signed_out: no pass is good any more.
        claims: what was asked.
    """

    def __init__(self, *, lives_ms: int = 0) -> None:
        self.lives_ms = lives_ms
        self.is_signed_out = False
        self.claims: list[Claim] = []

    async def identify(self, claim: Claim) -> Identity | None:
        """See ``chatcore.Identities``."""
        self.claims.append(claim)
        name, _, number = claim.proof.partition(" ")
        if not number or self.is_signed_out:
            return None
        expires_at_ms = SystemClock().now_ms() + self.lives_ms
        return Identity(
            username=name, expires_at_ms=expires_at_ms if self.lives_ms else None
        )

    def shown(self, purpose: ClaimPurpose) -> list[str]:
        """The proofs of one purpose."""
        return [it.proof for it in self.claims if it.purpose is purpose]


@pytest.fixture
async def origin(page: Page) -> AsyncIterator[str]:
    """Of a page that has the client, and is open."""
    async with serving_pages() as origin:
        await open_client_page(page, origin)
        yield origin


@pytest.mark.rule("A2", "S3")
async def test_each_link_shows_a_proof_that_was_fetched_for_it(
    page: Page, origin: str
) -> None:
    passes = Passes()
    async with (
        serving_chat(origin, "ws", identities=passes) as (_, url),
        relaying(url) as relay,
    ):
        await page.evaluate(FETCHES, relay.url)
        relay.cut()
        await until(page, WHEN_OFFLINE)
        await until(page, WHEN_ONLINE)
        receipt = await page.evaluate("chat.send('ada', 'still me')")

        assert receipt["position"] == 1
        assert await page.evaluate("chat.session.username") == "ada"
        assert passes.shown(ClaimPurpose.LOGIN) == ["ada 1"]
        assert passes.shown(ClaimPurpose.RESUME) == [
            await page.evaluate("`ada ${fetched}`")
        ]


@pytest.mark.rule("S3")
async def test_a_proof_that_expires_is_renewed_on_the_link(
    page: Page, origin: str
) -> None:
    passes = Passes(lives_ms=3000)
    async with (
        serving_chat(origin, "ws", identities=passes) as (_, url),
        relaying(url) as relay,
    ):
        await page.evaluate(FETCHES, relay.url)

        await until(page, "heard('expiring').length === 3")

        assert relay.links == 1
        assert passes.shown(ClaimPurpose.RENEWAL)[:2] == ["ada 2", "ada 3"]
        assert await page.evaluate("heard('error')") == []


async def test_who_was_signed_out_does_not_come_back(page: Page, origin: str) -> None:
    passes = Passes()
    async with (
        serving_chat(origin, "ws", identities=passes) as (_, url),
        relaying(url) as relay,
    ):
        await page.evaluate(FETCHES, relay.url)
        passes.is_signed_out = True
        relay.cut()
        await until(page, "chat.state === 'closed'")

        assert await page.evaluate("chat.code") == 212


async def test_a_proof_that_cannot_be_fetched_is_told_and_asked_for_again(
    page: Page, origin: str
) -> None:
    async with serving_chat(origin, "ws", identities=Passes()) as (_, url):
        await page.evaluate(
            """(url) => {
            let tries = 0;
            const proof = async () => {
              if (++tries < 3) throw new Error("the application is away");
              return "ada 1";
            };
            return open(url, { proof }).ready;
            }""",
            url,
        )

        errors = await page.evaluate("heard('error').map((it) => it.is)")
        assert errors == ["Error: the application is away"] * 2


@pytest.mark.rule("S1", "S3")
async def test_another_tab_takes_the_session_with_a_proof(
    page: Page, context: BrowserContext, origin: str
) -> None:
    passes = Passes()
    async with (
        serving_chat(origin, "ws", identities=passes) as (_, url),
        new_page(context) as second,
    ):
        await open_client_page(second, origin)
        await page.evaluate(FETCHES, url)

        await second.evaluate(FETCHES, url)
        await until(page, "chat.state === 'closed'")

        assert await page.evaluate("chat.code") == 4504
        assert await second.evaluate("chat.state") == "online"
