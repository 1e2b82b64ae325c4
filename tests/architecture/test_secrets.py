"""What is logged, or shown by its ``repr``, says nothing that lets somebody in (B8)."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator

import msgspec
import pytest

import chatapp
import chatcore
import chatidentities
import chatstores
import chatsystem
import chattesting
import transports

_PACKAGES = (
    chatapp,
    chatcore,
    chatidentities,
    chatstores,
    chatsystem,
    chattesting,
    transports,
)
_SECRETS = re.compile(
    r"(resume_)?token|token_hash|(.+_)?password|password_hash|proof|secret|once|link"
    r"|invitation|code|(private_)?key|headers|query|old|new"
)
_HARMLESS = {
    # Numbers of ends and findings, and keys that only make a repeat harmless.
    *("Closing.code", "Ending.code", "Finding.code", "Invariant.code"),
    *("Create.key", "Send.key", "Delete.key", "_Request.key", "SendSettings.key"),
    *("Deposit.key", "Erasure.key", "WireSend.key"),
    # By which a row is found: it shows no more than the row.
    "KeptRow.key",
    # Hashes of invitations, a link itself, a file, and a place of mail.
    *("StoredInvitation.invitation", "Admitted.invitation", "BenchSettings.new"),
    *("ServerTls.key", "ClientTls.key", "Stored.new", "HttpResponse.headers"),
}


def kinds() -> Iterator[type]:
    """Each class of ours that has a ``repr`` made of its fields."""
    for package in _PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "_generated" in found.name or found.name.endswith("__main__"):
                continue
            module = importlib.import_module(found.name)
            for kind in vars(module).values():
                if inspect.isclass(kind) and kind.__module__ == found.name:
                    yield kind


def shown(kind: type) -> list[str]:
    """The fields that its ``repr`` shows, where it is no ``repr`` of our own."""
    code = getattr(kind.__repr__, "__code__", None)
    if code is not None and code.co_filename == sys.modules[kind.__module__].__file__:
        return []
    if dataclasses.is_dataclass(kind):
        return [it.name for it in dataclasses.fields(kind) if it.repr]
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return list(kind._fields)
    if issubclass(kind, msgspec.Struct):
        return list(kind.__struct_fields__)
    return []


@pytest.mark.rule("B8")
def test_no_repr_shows_what_lets_somebody_in() -> None:
    found = {
        f"{kind.__name__}.{name}"
        for kind in kinds()
        for name in shown(kind)
        if _SECRETS.fullmatch(name)
    }

    assert found - _HARMLESS == set()
    assert found >= _HARMLESS
