"""A bot with an account of the shop's: it logs in there, and to the chat with a token.

python helper.py http://127.0.0.1:8000
"""

import asyncio
import json
import os
import sys
from urllib.request import Request, urlopen

from chatcore import Closed, connect, derived_key


def fetch(url: str, said: object = None) -> object:
    """What the shop answers."""
    body = json.dumps(said).encode() if said else None
    request = Request(url, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


async def main(shop: str) -> None:
    form = {"username": "helper", "password": os.environ["HELPER_PASSWORD"]}

    async def proof() -> str:
        """A token, at the login and whenever the one before expires."""
        answer = await asyncio.to_thread(fetch, f"{shop}/api/login", form)
        return answer["token"]

    urls = await asyncio.to_thread(fetch, f"{shop}/api/urls")
    async with connect(urls, proof=proof) as client:
        await client.login()
        print(f"{client.username} is here", flush=True)
        try:
            async for message in client.messages():
                key = derived_key(message.sent_at_ms, "answer", message.position)
                text = f"about {message.body!r}: let me look"
                await client.send(message.sender, text, key=key)
        except Closed as closed:
            print(closed)  # such as signed out by the shop


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
