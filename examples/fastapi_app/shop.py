"""A shop with users of its own, and a chat in it: the application of README.md."""

import hmac
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from chatcore import (
    Chat,
    ChatApp,
    ChatError,
    Claim,
    HttpWebhooks,
    Identity,
    derived_key,
    http_status,
    open_store,
    parse_webhook_secrets,
)

HERE = Path(__file__).parent
PASSWORDS = {"ada": "lovelace", "bob": "marley", "helper": "a bot has one too"}
SECRET = os.environ.get("SHOP_SECRET", secrets.token_urlsafe(32))
TOKEN_S = 3600


# ---- the shop's own users, who log in to the shop and have a JSON Web Token


class Users:
    """Who is logged in to the shop; the chat asks it (``chatcore.Identities``)."""

    def __init__(self) -> None:
        self._logins: set[str] = set()

    def log_in(self, name: str, password: str) -> str | None:
        """A token for who knows the password."""
        expected = PASSWORDS.get(name, secrets.token_urlsafe())
        if not hmac.compare_digest(expected.encode(), password.encode()):
            return None
        login, until = secrets.token_urlsafe(), int(time.time()) + TOKEN_S
        self._logins.add(login)
        payload = {"sub": name, "jti": login, "exp": until, "aud": "shop"}
        return jwt.encode(payload, SECRET, "HS256")

    def log_out(self, token: dict[str, Any]) -> None:
        """From now on its token is nobody's."""
        self._logins.discard(token["jti"])

    def read(self, token: str) -> dict[str, Any] | None:
        """What a token says, if the shop has made it and it still holds."""
        try:
            read = jwt.decode(token, SECRET, algorithms=["HS256"], audience="shop")
        except jwt.PyJWTError:
            return None
        return read if read["jti"] in self._logins else None

    async def identify(self, claim: Claim) -> Identity | None:
        """Who shows a token to the chat: at each login and resume, and to stay."""
        token = self.read(claim.proof)
        if token is None:
            return None
        return Identity(username=token["sub"], expires_at_ms=token["exp"] * 1000)


USERS = Users()
ORDERS: dict[tuple[str, int], int] = {}


# ---- the chat


@asynccontextmanager
async def opened() -> AsyncIterator[Chat]:
    """The chat, for as long as the shop is open."""
    webhooks = None
    if url := os.environ.get("SHOP_WEBHOOK"):
        signed_with = parse_webhook_secrets(os.environ["SHOP_WEBHOOK_SECRET"])
        webhooks = HttpWebhooks([url], secrets=signed_with)
    async with open_store(os.environ.get("CHAT_STORE", "memory:")) as store:
        yield Chat(store, identities=USERS, webhooks=webhooks)


chat_app = ChatApp(opened, also=[os.environ.get("CHAT_TCP", "tcp://127.0.0.1:7400")])
app = FastAPI(lifespan=chat_app.lifespan)
app.mount("/api/chat", chat_app)


@app.exception_handler(ChatError)
async def refused(_: Request, error: ChatError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, http_status(error))


# ---- the shop


class LoginForm(BaseModel):
    username: str
    password: str


class Order(BaseModel):
    number: int


Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def token_of(bearer: Bearer) -> dict[str, Any]:
    token = USERS.read(bearer.credentials)
    if token is None:
        raise HTTPException(401, "Log in first.")
    return token


Token = Annotated[dict[str, Any], Depends(token_of)]


@app.post("/api/login")
async def log_in(form: LoginForm) -> dict[str, str]:
    token = USERS.log_in(form.username, form.password)
    if token is None:
        raise HTTPException(401, "The username or the password is wrong.")
    return {"token": token}


@app.post("/api/logout")
async def log_out(token: Token) -> None:
    """Out of the shop is out of the chat, at once, while it is talked in or not."""
    USERS.log_out(token)
    await chat_app.chat.end_sessions(token["sub"])


@app.post("/api/orders")
async def order(order: Order, token: Token) -> dict[str, int]:
    """The shop writes to who has ordered; once, however often it is asked."""
    buyer, number = token["sub"], order.number
    ordered_at_ms = ORDERS.setdefault((buyer, number), int(time.time() * 1000))
    key = derived_key(ordered_at_ms, "order", number)
    for name in ("shop", buyer):
        await chat_app.chat.ensure_account(name)
    text = f"Your order {number} is on its way."
    receipt = await chat_app.chat.send("shop", buyer, text, key=key)
    return {"position": receipt.position}


@app.get("/api/urls")
async def urls() -> list[str]:
    """Where programs find the same chat."""
    return chat_app.server.urls


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(HERE / "page.html")


# The browser client is one module, from clients/js or the npm package "chatcore".
JS = HERE.parents[1] / "clients" / "js"
app.mount("/js", StaticFiles(directory=JS, check_dir=False))
