"""One attempt to send a webhook: a POST that takes a bounded time and memory."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

_log = logging.getLogger(__name__)

MOST_ANSWER_BYTES: Final = 16 * 1024
"""So much of an answer is read, for its connection's next use; after more it is cut."""


class HttpPosting:
    """Sends to one target, over connections that it keeps."""

    def __init__(self, client: httpx.AsyncClient, url: str, within_s: float) -> None:
        self._client = client
        self._url = url
        self._within_s = within_s

    async def post(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Why it was not taken; empty when it was: with a status of 2xx.

        A redirect is an answer as any other: it is not followed.
        """
        try:
            async with (
                asyncio.timeout(self._within_s),
                self._client.stream(
                    "POST", self._url, content=body, headers=headers
                ) as answer,
            ):
                status = answer.status_code
                await _drain(answer)
        except TimeoutError:
            return f"no answer in {self._within_s:g} s"
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return type(error).__name__
        except Exception as error:  # noqa: BLE001  # one attempt ends no other
            _log.exception("A webhook could not be sent")
            return type(error).__name__
        return "" if httpx.codes.is_success(status) else f"status {status}"


async def _drain(answer: httpx.Response) -> None:
    """Read what is left of an answer, as it came: it is not unpacked."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read > MOST_ANSWER_BYTES:
            return


@asynccontextmanager
async def posting_to(
    url: str, *, at_once: int, within_s: float
) -> AsyncIterator[HttpPosting]:
    """What sends to a target while the block runs.

    Nothing of the surroundings counts: no proxy, no .netrc, no cookie.
    """
    nobody = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx.AsyncClient(
        headers={"user-agent": "chatcore-webhooks", "accept-encoding": "identity"},
        cookies=nobody,
        verify=ssl.create_default_context(),
        timeout=within_s,
        limits=httpx.Limits(max_connections=at_once),
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield HttpPosting(client, url, within_s)
