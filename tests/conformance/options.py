"""What the suite can be told: another matrix than its own.

- ``--target URL``: against a server that is up already, over the URL's transport with
  each of its codecs;
- ``--transport-module FILE.py``: on one transport that is not ours. The module has
  ``SCHEME``, ``LISTENS`` (a URL to serve on, perhaps with ``{folder}``), ``TRANSPORT``,
  and ``TELLS_CODE = False`` where a link has no room for the code that it is closed
  with.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from tests.conformance.matrix import (
    BELOW_ASGI,
    SECURE,
    STORES,
    TARGET,
    TRANSPORTS,
    Carried,
    Matrix,
)
from transports import register_transport
from transports.base import parse_address
from transports.errors import BadUrl

NEEDED: Final = ("SCHEME", "LISTENS", "TRANSPORT")


def matrix_of(target: str, transport_module: str, *, is_whole: bool) -> Matrix:
    """The matrix that the options ask for; raises ``pytest.UsageError``.

    In the whole of it transports with TLS, or below ASGI, are as all others.
    """
    if target and transport_module:
        raise pytest.UsageError("--target and --transport-module exclude each other")
    if target:
        return _matrix_of_target(target)
    if transport_module:
        return _matrix_of_module(load(Path(transport_module)))
    if is_whole:
        return Matrix({**TRANSPORTS, **SECURE, **BELOW_ASGI}, list(STORES))
    return Matrix(TRANSPORTS, list(STORES), SECURE, BELOW_ASGI)


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


def _matrix_of_module(module: ModuleType) -> Matrix:
    carried = Carried(
        module.LISTENS,
        module.TRANSPORT.codecs,
        tells_code=getattr(module, "TELLS_CODE", True),
    )
    return Matrix({module.SCHEME: carried}, list(STORES))


def load(path: Path) -> ModuleType:
    """Import a transport's file, under a name that shadows nothing, and register it."""
    name = f"transport_module_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise pytest.UsageError(f"--transport-module: {path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    missing = [it for it in NEEDED if not hasattr(module, it)]
    if missing:
        raise pytest.UsageError(
            f"--transport-module: {module.__file__} has no {', '.join(missing)}"
        )
    register_transport(module.SCHEME, module.TRANSPORT)
    return module
