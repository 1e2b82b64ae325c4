"""What the suite can be told: another matrix than its own.

- ``--target URL``: against a server that is up already, over the URL's transport with
  each of its codecs;
- ``--store-module FILE.py``: over one store that is not ours (``tests.stores``);
- ``--transport-module FILE.py``: on one transport that is not ours. The module has
  ``SCHEME``, ``LISTENS`` (a URL to serve on, perhaps with ``{folder}``), ``TRANSPORT``,
  and ``TELLS_CODE = False`` where a link has no room for the code that it is closed
  with.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from tests.conformance.matrix import (
    BELOW_ASGI,
    SECURE,
    TARGET,
    TRANSPORTS,
    Carried,
    Matrix,
)
from tests.modules import UnusableModule, load
from tests.stores import OURS, StoreKind
from transports import register_transport
from transports.base import parse_address
from transports.errors import BadUrl

NEEDED: Final = ("SCHEME", "LISTENS", "TRANSPORT")


def matrix_of(
    target: str,
    transport_module: str,
    *,
    is_whole: bool,
    stores: Sequence[StoreKind] = OURS,
) -> Matrix:
    """The matrix that the options ask for; raises ``pytest.UsageError``.

    In the whole of it transports with TLS, or below ASGI, are as all others.
    """
    if target and transport_module:
        raise pytest.UsageError("--target and --transport-module exclude each other")
    if target and stores is not OURS:
        raise pytest.UsageError("--target and --store-module exclude each other")
    if target:
        return _matrix_of_target(target)
    if transport_module:
        return _matrix_of_module(load_transport(Path(transport_module)), stores)
    if is_whole:
        return Matrix({**TRANSPORTS, **SECURE, **BELOW_ASGI}, stores)
    return Matrix(
        TRANSPORTS, stores, SECURE, BELOW_ASGI, about_stores=stores is not OURS
    )


def _matrix_of_target(url: str) -> Matrix:
    schemes = {parse_address(it.listens).scheme: it for it in TRANSPORTS.values()}
    names = {parse_address(it.listens).scheme: name for name, it in TRANSPORTS.items()}
    try:
        address = parse_address(url)
    except BadUrl as error:
        raise pytest.UsageError(f"--target: {error}") from error
    if address.scheme not in schemes or not address.port:
        raise pytest.UsageError(
            f"--target {url}: it is a URL such as tcp://127.0.0.1:7400"
        )
    codecs = schemes[address.scheme].codecs
    return Matrix({names[address.scheme]: Carried(url, codecs)}, [TARGET])


def _matrix_of_module(module: ModuleType, stores: Sequence[StoreKind]) -> Matrix:
    carried = Carried(
        module.LISTENS,
        module.TRANSPORT.codecs,
        tells_code=getattr(module, "TELLS_CODE", True),
    )
    return Matrix({module.SCHEME: carried}, stores)


def load_transport(path: Path) -> ModuleType:
    """Import a transport's file, and register it; raises ``pytest.UsageError``."""
    try:
        module = load("--transport-module", path, needed=NEEDED)
    except UnusableModule as error:
        raise pytest.UsageError(str(error)) from error
    register_transport(module.SCHEME, module.TRANSPORT)
    return module
