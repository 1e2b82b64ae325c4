"""A FastAPI application with a chat in it, all of it on one port.

Who may chat is the application's to say: it hands out a token at its own login, and the
chat asks the application about that, whenever a client comes (``chatcore.Identities``).
A page talks to whoever uses raw TCP, which the same chat listens on beside.

    uvicorn --app-dir examples fastapi_chat:app --ws-max-size 1048576

Open http://127.0.0.1:8000 as ada (password "lovelace"). To be bob in a terminal, log in
there with the token that the application has for him, in the place of a password:

    curl http://127.0.0.1:8000/api/login --json '{"username":"bob","password":"marley"}'
    chatcore client --connect tcp://127.0.0.1:7400
"""

import hmac
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from chatcore import Chat, ChatApp, Claim, Identity, open_store

PASSWORDS = {"ada": "lovelace", "bob": "marley"}


class WebLogins:
    """The users of this application; see ``chatcore.Identities``."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}

    def log_in(self, username: str, password: str) -> str | None:
        """A token of the user, which holds until the application ends."""
        expected = PASSWORDS.get(username, "")
        if not expected or not hmac.compare_digest(expected, password):
            return None
        token = secrets.token_urlsafe()
        self._users[token] = username
        return token

    async def identify(self, claim: Claim) -> Identity | None:
        """Whose token this is, if it is one."""
        username = self._users.get(claim.proof)
        return Identity(username=username) if username else None


LOGINS = WebLogins()


@asynccontextmanager
async def opened() -> AsyncIterator[Chat]:
    """The chat, for as long as the application lives."""
    async with open_store(os.environ.get("CHAT_STORE", "memory:")) as store:
        yield Chat(store, identities=LOGINS)


chat_app = ChatApp(opened, also=[os.environ.get("CHAT_TCP", "tcp://127.0.0.1:7400")])


app = FastAPI(lifespan=chat_app.lifespan)
app.mount("/api/chat", chat_app)


class LoginForm(BaseModel):
    username: str
    password: str


@app.post("/api/login")
async def log_in(form: LoginForm) -> dict[str, str]:
    token = LOGINS.log_in(form.username, form.password)
    if token is None:
        raise HTTPException(401, "The username or the password is wrong.")
    return {"token": token}


@app.get("/api/urls")
async def urls() -> list[str]:
    """Where programs find the same chat."""
    return chat_app.server.urls


@app.get("/")
async def page() -> HTMLResponse:
    return HTMLResponse(PAGE)


PAGE = """<!doctype html>
<title>Chat</title>
<form id="login"><input name="username" value="ada"><input name="password"
  type="password"><button>Log in</button></form>
<form id="send"><input name="recipient" value="bob"><input name="body"><button>Send
  </button></form>
<pre id="said"></pre>
<script>
const said = document.getElementById("said");
const tell = (commands) => socket.send(JSON.stringify({ commands }));
let socket;
document.getElementById("login").onsubmit = async (event) => {
  event.preventDefault();
  const form = Object.fromEntries(new FormData(event.target));
  const answer = await fetch("/api/login", { method: "POST",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(form) });
  if (!answer.ok) return said.append("not logged in\\n");
  const proof = (await answer.json()).token;
  socket = new WebSocket(`ws://${location.host}/api/chat/`, "chat.v1.json");
  socket.onopen = () => tell([{ id: 1, login: { proof } }]);
  socket.onclose = ({ code, reason }) => said.append(`${code} ${reason}\\n`);
  socket.onmessage = ({ data }) => {
    for (const { delivered, loggedIn, refused } of JSON.parse(data).events) {
      if (loggedIn) said.append(`logged in as ${loggedIn.username}\\n`);
      if (refused) said.append(`${refused.text}\\n`);
      if (!delivered) continue;
      said.append(`${delivered.sender}: ${delivered.body}\\n`);
      tell([{ acknowledge: { position: delivered.position } }]);
    }
  };
};
document.getElementById("send").onsubmit = (event) => {
  event.preventDefault();
  tell([{ id: 2, send: Object.fromEntries(new FormData(event.target)) }]);
};
</script>
"""
