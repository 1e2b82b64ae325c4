"""Loose files that bring a transport or a store: ``--plugin FILE.py``.

Such a file has ``SCHEME`` and ``TRANSPORT``, or ``SCHEME`` and ``STORE``; or it calls
``register_transport`` or ``register_store`` itself. What it imports may lie beside it:
its folder comes last on the search path, so that nothing in it hides what is installed.
"""

import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from chatapp.errors import CannotLoad
from chatcore.errors import ChatError


def load_plugins(paths: Iterable[str]) -> None:
    """Load these files, each once in a process.

    Raises:
        CannotLoad: one is no Python file, has a fault, or brings nothing.
    """
    for path in paths:
        file = Path(path).resolve()
        name = f"chatcore_plugin_{file.stem}"
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded != str(file):
            _load(f"--plugin {path}", file, name)


def check_installed() -> None:
    """Look whether an installed package would hide a transport or a store of ours.

    Raises:
        CannotLoad: one would; it is named.
    """
    from chatstores import STORES  # noqa: PLC0415  # slow: --help needs none
    from chatsystem.schemes import BadPlugin  # noqa: PLC0415  # as above
    from transports.registry import TRANSPORTS  # noqa: PLC0415  # as above

    try:
        TRANSPORTS.check_installed()
        STORES.check_installed()
    except BadPlugin as error:
        raise CannotLoad(str(error)) from error


def _load(where: str, file: Path, name: str) -> None:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise CannotLoad(f"{where}: there is no such Python file.")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    module = module_from_spec(spec)
    sys.modules[name] = module
    before = _registered()
    try:
        spec.loader.exec_module(module)
        _register(module)
    except Exception as error:
        del sys.modules[name]
        raise CannotLoad(f"{where}: {_told(error, file)}.") from error
    if _registered() == before:
        del sys.modules[name]
        raise CannotLoad(
            f"{where}: it has no SCHEME with a TRANSPORT or a STORE, and registers "
            "neither."
        )


def _register(module: ModuleType) -> None:
    """Register what the module only names."""
    from chatstores import register_store  # noqa: PLC0415  # slow: --help needs none
    from transports import register_transport  # noqa: PLC0415  # as above

    scheme = getattr(module, "SCHEME", None)
    if isinstance(scheme, str):
        if hasattr(module, "TRANSPORT"):
            register_transport(scheme, module.TRANSPORT)
        if hasattr(module, "STORE"):
            register_store(scheme, module.STORE)


def _registered() -> list[tuple[str, int]]:
    """What is registered now, each told from what may be put in its place."""
    from chatstores import STORES  # noqa: PLC0415  # as above
    from transports.registry import TRANSPORTS  # noqa: PLC0415  # as above

    tables = (TRANSPORTS.registered, STORES.registered)
    return [(scheme, id(it)) for table in tables for scheme, it in table.items()]


def _told(error: Exception, file: Path) -> str:
    """A fault in the file, in one line, with the line of the file that it came by."""
    kind = type(error).__name__
    reason = f"{kind}: {error}" if str(error) else kind
    if isinstance(error, ChatError):
        reason = str(error)
    lines = [
        it.lineno for it in extract_tb(error.__traceback__) if it.filename == str(file)
    ]
    at = f"line {lines[-1]}: " if lines else ""
    return f"{at}{reason}".rstrip(".")
