"""The public keys of an issuer of tokens (JWKS, RFC 7517): fetched, kept, fetched anew.

They come from a URL or a file. One fetch runs at a time, in a thread, and never more
often than once in some seconds, whatever tokens name keys that nobody knows.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from chatcore.errors import ApplicationUnavailable, Busy

_log = logging.getLogger(__name__)

_MOST_BYTES: Final = 256 * 1024
_MOST_KEYS: Final = 64
_MOST_WAITING: Final = 8
_RETRY_AFTER_MS: Final = 1000
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class KeySetWrong(ValueError):
    """A place of keys that cannot be used at all."""


class KeySetUnreadable(Exception):
    """The keys cannot be had now, and why."""


class _NoRedirect(HTTPRedirectHandler):
    """The operator has named a place: it is not followed to another."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing; the redirect is then an error."""


class KeySet:
    """The keys of one issuer.

    Args:
        source: a URL (https, or http on this machine) or the path of a file.
        refetch_s: how soon after a fetch another may follow.
        fresh_s: from when on keys are fetched again though they are known, so that
            those go which the issuer has taken back.
        timeout_s: how long a fetch may take.

    Raises:
        KeySetWrong: keys are not fetched from there.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        refetch_s: float = 10.0,
        fresh_s: float = 600.0,
        timeout_s: float = 4.0,
    ) -> None:
        self._source = str(source)
        self._is_url = "://" in self._source
        if self._is_url:
            _check_url(self._source)
        self._refetch_s = refetch_s
        self._fresh_s = fresh_s
        self._timeout_s = timeout_s
        self._keys: list[PyJWK] | None = None
        self._read_s = self._tried_s = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0

    async def load(self) -> None:
        """Fetch the keys now.

        Raises:
            KeySetUnreadable: that failed; it is tried again when keys are needed.
        """
        self._tried_s = time.monotonic()
        found = await asyncio.to_thread(self._fetch)
        self._keys, self._read_s = found, time.monotonic()

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key of this id for this algorithm; without an id the only one for it.

        Raises:
            ApplicationUnavailable: there are none yet, and none can be had.
            Busy: too many wait for keys already.
        """
        now_s = time.monotonic()
        key = self._known(key_id, algorithm)
        if key is None:
            await self._renew(now_s)
            key = self._known(key_id, algorithm)
        elif now_s - self._read_s >= self._fresh_s:
            self._begin_to_fetch(now_s)
        if self._keys is None:
            raise ApplicationUnavailable(retry_after_ms=_RETRY_AFTER_MS)
        return key

    def _known(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        fitting = [
            it
            for it in self._keys or ()
            if it.algorithm_name == algorithm and key_id in {None, it.key_id}
        ]
        return fitting[0] if len(fitting) == 1 else None

    async def _renew(self, now_s: float) -> None:
        """Return once the keys were fetched, where that may be."""
        fetching = self._begin_to_fetch(now_s)
        if fetching is None:
            return
        if self._waiting >= _MOST_WAITING:
            raise Busy(retry_after_ms=_RETRY_AFTER_MS)
        self._waiting += 1
        try:
            # Who gives up waiting ends the fetch for nobody else.
            await asyncio.shield(fetching)
        finally:
            self._waiting -= 1

    def _begin_to_fetch(self, now_s: float) -> "asyncio.Task[None] | None":
        """The fetch that runs; None where it is too soon for one."""
        if self._fetching is None or self._fetching.done():
            if now_s - self._tried_s < self._refetch_s:
                return None
            self._tried_s = now_s
            loop = asyncio.get_running_loop()
            self._fetching = loop.create_task(self._fetch_or_tell())
        return self._fetching

    async def _fetch_or_tell(self) -> None:
        try:
            await self.load()
        except KeySetUnreadable as error:
            kept = "those of before are used" if self._keys else "there are none yet"
            _log.warning("%s; %s", error, kept)

    def _fetch(self) -> list[PyJWK]:
        try:
            read = self._read_url() if self._is_url else self._read_file()
        except (OSError, URLError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise KeySetUnreadable(
                f"The keys at {self._source} cannot be read: {reason}"
            ) from error
        keys = _parse(read)
        if not keys:
            raise KeySetUnreadable(f"There are no usable keys at {self._source}")
        return keys

    def _read_url(self) -> bytes:
        headers = {"Accept": "application/json"}
        request = Request(self._source, headers=headers)  # noqa: S310  # it was checked
        opener = build_opener(_NoRedirect)
        with opener.open(request, timeout=self._timeout_s) as response:
            return _whole(response.read(_MOST_BYTES + 1))

    def _read_file(self) -> bytes:
        with Path(self._source).open("rb") as file:
            return _whole(file.read(_MOST_BYTES + 1))


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in _LOOPBACK
    ):
        return
    raise KeySetWrong(f"Keys are fetched by https, not from {url}.")


def _whole(read: bytes) -> bytes:
    if len(read) > _MOST_BYTES:
        text = f"it has more than {_MOST_BYTES} bytes"
        raise ValueError(text)
    return read


def _parse(read: bytes) -> list[PyJWK]:
    """The keys that may verify signatures; others, and secrets, are left out."""
    try:
        found: object = json.loads(read)
    except (ValueError, RecursionError):
        return []
    listed: object = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return []
    return [
        key
        for jwk in listed[:_MOST_KEYS]
        if isinstance(jwk, dict)
        for algorithm in _algorithms_of(jwk)
        if (key := _key_of(jwk, algorithm)) is not None
    ]


def _algorithms_of(jwk: Mapping[str, object]) -> Sequence[str | None]:
    """For which algorithms a key is: that which it names, those of its type, or None
    for the only one that it can be for.
    """
    if jwk.get("kty") == "oct" or jwk.get("use", "sig") != "sig":
        return ()
    named = jwk.get("alg")
    if named is not None:
        return (named,) if isinstance(named, str) else ()
    return _RSA if jwk.get("kty") == "RSA" else (None,)


def _key_of(jwk: Mapping[str, object], algorithm: str | None) -> PyJWK | None:
    try:
        return PyJWK(dict(jwk), algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
