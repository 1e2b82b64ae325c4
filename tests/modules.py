"""Modules by their files, as ``--transport-module`` and its like name them."""

import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


class UnusableModule(ValueError):
    """A file that is no module, or one that lacks what is needed of it."""


def load(option: str, path: Path, *, needed: Sequence[str]) -> ModuleType:
    """Import a file under a name that shadows nothing; raises ``UnusableModule``."""
    name = f"{option.strip('-').replace('-', '_')}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UnusableModule(f"{option}: {path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    missing = [it for it in needed if not hasattr(module, it)]
    if missing:
        raise UnusableModule(f"{option}: {path} has no {', '.join(missing)}")
    return module
