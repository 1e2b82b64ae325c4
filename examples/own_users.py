"""A chat whose users are those of the application around it.

The chat asks ``Identities`` instead of keeping passwords: at each login, when a client
comes back, and when what it has shown expires. Here a proof is a token that the
application's web login has handed out; creating accounts and changing passwords over
the chat is refused (207).

    python examples/own_users.py
"""

import asyncio
import secrets

from chatcore import (
    AccountsElsewhere,
    Chat,
    Claim,
    Identity,
    ProofRefused,
    connect,
    open_store,
    serve,
)


class WebLogins:
    """The users of the application; see ``chatcore.Identities``."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}

    def sign_in(self, username: str) -> str:
        """A token of this user, after the application has checked who that is."""
        token = secrets.token_urlsafe()
        self._users[token] = username
        return token

    def sign_out(self, token: str) -> None:
        """The token is good for nothing any more."""
        self._users.pop(token, None)

    async def identify(self, claim: Claim) -> Identity | None:
        """Whose token this is, if it is one."""
        username = self._users.get(claim.proof)
        return Identity(username=username) if username else None


async def main() -> None:
    """Log in with a token; be refused without one, and once signed out."""
    logins = WebLogins()
    token = logins.sign_in("ada")
    async with (
        open_store("memory:") as store,
        serve(Chat(store, identities=logins), "tcp://127.0.0.1:0") as urls,
        connect(urls[0], proof=token) as client,
    ):
        try:
            await client.login(proof="forged")
        except ProofRefused as refusal:
            print(refusal)
        try:
            await client.create("eve", "correct horse")
        except AccountsElsewhere as refusal:
            print(refusal)
        print("logged in as", (await client.login()).username)
        await client.logout()
        logins.sign_out(token)
        try:
            await client.login()
        except ProofRefused as refusal:
            print(refusal)


if __name__ == "__main__":
    asyncio.run(main())
