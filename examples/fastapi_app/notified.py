"""A second application, which the chat of the first tells of each message.

What comes is judged by its signature, as Standard Webhooks has it; their libraries do
the same. It is told at least once, so that what it has had it knows by its id.
"""

import base64
import hashlib
import hmac
import os
import time
from typing import Any

from fastapi import FastAPI, HTTPException, Request

SECRET = base64.b64decode(os.environ["SHOP_WEBHOOK_SECRET"].removeprefix("whsec_"))
AT_MOST_S = 300

app = FastAPI()
had: dict[str, dict[str, Any]] = {}


@app.post("/chat")
async def told(request: Request) -> None:
    said, headers = await request.body(), request.headers
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    expected = hmac.digest(SECRET, f"{name}.{at}.".encode() + said, hashlib.sha256)
    signed = f"v1,{base64.b64encode(expected).decode()}"
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(it.encode(), signed.encode()) for it in given):
        raise HTTPException(401, "This is not signed by the shop's chat.")
    if abs(time.time() - int(at)) > AT_MOST_S:
        raise HTTPException(401, "This is old.")
    had.setdefault(name, (await request.json())["data"])


@app.get("/had")
async def list_had() -> list[str]:
    """Who has written to whom, as it was told."""
    return [
        f"{it['sender']['name']} to {it['recipient']['name']}" for it in had.values()
    ]
