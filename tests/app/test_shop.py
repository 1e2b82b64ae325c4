"""examples/fastapi_app: people and a bot, one of them signed out while it talks."""

import asyncio
from urllib.error import HTTPError

import pytest

from chatcore import Client, CloseCode, Closed, ProofRefused, connect
from tests.app.shop import LISTENS, application, ask, helper, told


async def heard(client: Client, most: int) -> list[tuple[str, str]]:
    """The next messages, as sender and body."""
    found: list[tuple[str, str]] = []
    async for message in client.messages():
        found.append((message.sender, message.body))
        if len(found) == most:
            break
    return found


async def talk(client: Client) -> tuple[int, Closed]:
    """Say one word after the other; how many were stored, and what ended it."""
    said = 0
    try:
        while True:
            await client.send("bob", f"word {said}")
            said += 1
    except Closed as closed:
        return said, closed


@pytest.mark.rule("A2", "S3", "S4")
async def test_people_and_a_bot_talk_until_the_shop_signs_one_out() -> None:
    with (
        application("notified") as notified,
        application("shop", SHOP_WEBHOOK=f"{notified}/chat", **LISTENS) as shop,
        helper(shop),
    ):
        chat = f"{shop}/api/chat/".replace("http", "ws", 1)

        async def log_in(name: str, password: str) -> str:
            form = {"username": name, "password": password}
            answer = await asyncio.to_thread(ask, f"{shop}/api/login", form)
            return str(answer["token"])

        async def as_ada(path: str, said: object) -> object:
            return await asyncio.to_thread(ask, f"{shop}{path}", said, token=token)

        token = await log_in("ada", "lovelace")
        async with (
            connect(f"{shop}/api/chat", proof=token) as ada,
            connect(chat, proof=await log_in("bob", "marley")) as bob,
        ):
            await ada.login()
            await bob.login()
            orders = [await as_ada("/api/orders", {"number": 17}) for _ in range(2)]
            from_shop = await heard(ada, 1)
            await bob.send("helper", "are there any left?")
            from_helper = await heard(bob, 1)

            async with asyncio.TaskGroup() as tasks:
                talking = tasks.create_task(talk(ada))
                from_ada = await heard(bob, 5)
                await as_ada("/api/logout", {})
            said, closed = talking.result()

            with pytest.raises(ProofRefused):
                await ada.login()
            with pytest.raises(HTTPError, match="401"):
                await as_ada("/api/orders", {"number": 18})
            await bob.send("bob", "the last")
            async for message in bob.messages():
                if message.sender == "bob":
                    break
                from_ada.append((message.sender, message.body))
        lines = {"shop to ada", "bob to helper", "helper to bob", "ada to bob"}
        told_of = await told(notified, lines)

    assert orders == [{"position": 1}] * 2
    assert from_shop == [("shop", "Your order 17 is on its way.")]
    assert from_helper == [("helper", "about 'are there any left?': let me look")]
    assert closed.code is CloseCode.SESSION_ENDED
    assert from_ada == [("ada", f"word {it}") for it in range(len(from_ada))]
    assert said <= len(from_ada) <= said + 1  # one may have had no answer
    assert told_of == lines
