"""What a listener of HTTP answers beside the chat: files from a fixed table.

Nothing is looked up on a disk: a path is in the table or is not there. A browser asks
again each time (``no-cache``), and is told by the ETag that it has a file already.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Protocol

from transports.http_messages import HttpRequest, HttpResponse, plain_response

_METHODS: Final = ("GET", "HEAD")
_TAG_CHARS: Final = 32
SAFE_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Of each answer: what it is not taken for, tells nobody, and is no part of."""


class Site(Protocol):
    """Answers requests that are not below the chat's own path."""

    def answer(self, request: HttpRequest, url: str) -> HttpResponse | None:
        """Answer a request to the listener of this URL, at once; None where there is
        nothing at its path.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file of a site.

    Attributes:
        content: all of it.
        content_type: what it is.
        tag: its ETag, which differs where the content does.
    """

    content: bytes
    content_type: str
    tag: str

    @classmethod
    def of(cls, content: bytes, content_type: str) -> "StaticFile":
        """A file with this content."""
        tag = hashlib.sha256(content).hexdigest()[:_TAG_CHARS]
        return cls(content=content, content_type=content_type, tag=f'"{tag}"')


class StaticSite:
    """A fixed table of files, and nothing else; see ``Site``."""

    def __init__(self, files: Mapping[str, StaticFile]) -> None:
        self._files = dict(files)

    def answer(
        self,
        request: HttpRequest,
        url: str,  # noqa: ARG002  # it is the same at each listener
    ) -> HttpResponse | None:
        """See ``Site``."""
        file = self._files.get(request.path)
        if file is None:
            return None
        if request.method not in _METHODS:
            return method_refused()
        headers = (("ETag", file.tag), ("Cache-Control", "no-cache"), *SAFE_HEADERS)
        if _names(request.values("if-none-match"), file.tag):
            return HttpResponse(
                status=HTTPStatus.NOT_MODIFIED, content_type="", headers=headers
            )
        return HttpResponse(
            body=file.content, content_type=file.content_type, headers=headers
        )


def method_refused() -> HttpResponse:
    """What is answered to a request that would do more than read."""
    allow = ("Allow", ", ".join(_METHODS))
    refused = plain_response(HTTPStatus.METHOD_NOT_ALLOWED)
    return replace(refused, headers=(allow, *SAFE_HEADERS))


def _names(conditions: Sequence[str], tag: str) -> bool:
    """Whether headers If-None-Match name this ETag, weakly (RFC 9110, 13.1.2)."""
    named = [it.strip() for value in conditions for it in value.split(",")]
    return "*" in named or any(it.removeprefix("W/") == tag for it in named)
