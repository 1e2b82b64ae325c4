"""A chat whose users are those of the application around it.

The chat asks ``Credentials`` instead of keeping passwords. Here the "password" is a
token that the application's web login has handed out; creating accounts and changing
passwords over the chat is refused (207).

    python examples/own_users.py
"""

import asyncio
import hmac

from chatcore import (
    AccountsElsewhere,
    Chat,
    Username,
    WrongCredentials,
    connect,
    open_store,
    serve,
)


class WebLogins:
    """The users of the application; see ``chatcore.Credentials``."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens

    async def check(self, username: Username, password: str) -> bool:
        """Whether this is the token of that user, in constant time."""
        expected = self._tokens.get(username, "")
        return hmac.compare_digest(expected.encode(), password.encode()) and bool(
            expected
        )


async def main() -> None:
    """Log in with a token; be refused with another, and when creating an account."""
    logins = WebLogins({"ada": "token-of-ada", "bob": "token-of-bob"})
    async with (
        open_store("memory:") as store,
        serve(Chat(store, credentials=logins), "tcp://127.0.0.1:0") as urls,
        connect(urls[0]) as client,
    ):
        try:
            await client.login("ada", "token-of-bob")
        except WrongCredentials as refusal:
            print(refusal)
        try:
            await client.create("eve", "correct horse")
        except AccountsElsewhere as refusal:
            print(refusal)
        print("logged in as", (await client.login("ada", "token-of-ada")).username)


if __name__ == "__main__":
    asyncio.run(main())
