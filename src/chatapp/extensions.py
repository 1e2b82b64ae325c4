"""An application's own parts of the server, such as ``--policy``.

Each is named ``module:object``. The module is imported as any other; the folder of
``--app-dir`` comes last on the search path, so that nothing in it hides a module that
is installed. An object that is a class, or that lacks the port's method and can be
called, is called without arguments for the object that is meant.
"""

import inspect
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from chatapp.errors import CannotLoad
from chatcore.listing import ListNobody
from chatcore.ports import (
    Credentials,
    Identities,
    ListPolicy,
    MessageHandlers,
    SendPolicy,
)
from chatsystem.handlers import Handlers

_log = logging.getLogger(__name__)
_DEBUG_HELP: Final = "; --log-level debug shows where"


def load_policy(name: str, *, folder: str) -> SendPolicy | None:
    """The policy that ``--policy`` names; None where it names none.

    Raises:
        CannotLoad: there is no such module or object, or it is no policy.
    """
    if not name:
        return None
    found = _load("--policy", name, "judge", ("sender", "sends"), folder)
    return cast("SendPolicy", found)


def load_list_policy(name: str, *, folder: str) -> ListPolicy | None:
    """The policy that ``--list-policy`` names; None where it names none.

    Raises:
        CannotLoad: there is no such module or object, or it is no policy.
    """
    if not name:
        return None
    if name == "nobody":
        return ListNobody()
    found = _load("--list-policy", name, "visible", ("asker", "names"), folder)
    return cast("ListPolicy", found)


def load_credentials(name: str, *, folder: str) -> Credentials | None:
    """The users that ``--credentials`` names; None where it names none.

    Raises:
        CannotLoad: there is no such module or object, or it checks no passwords.
    """
    if not name:
        return None
    found = _load("--credentials", name, "check", ("username", "password"), folder)
    return cast("Credentials", found)


def load_handlers(name: str, *, folder: str) -> MessageHandlers | None:
    """The functions that ``--handlers`` names; None where it names none.

    They are a ``chatcore.Handlers``, or methods of an object, or a module's functions,
    of their names.

    Raises:
        CannotLoad: there is no such module or object, or it has none of them.
    """
    if not name:
        return None
    where = f"--handlers {name}"
    found = _find(where, name, folder)
    names = ("stored", "delivered", "acknowledged", "waiting")
    has_any = any(hasattr(found, it) for it in names)
    if inspect.isclass(found) or (
        not isinstance(found, Handlers) and not has_any and callable(found)
    ):
        found = _call(where, found)
    if isinstance(found, Handlers):
        return found
    functions: dict[str, Callable[[object], object] | None] = {}
    for it in names:
        function = getattr(found, it, None)
        if function is not None and not _takes(function, 1):
            raise CannotLoad(f"{where}: its {it} is not def {it}(self, events).")
        functions[it] = function
    if not any(functions.values()):
        kind = type(found).__name__
        raise CannotLoad(
            f"{where}: the {kind} that it is has none of {', '.join(names)}."
        )
    return Handlers(
        stored=functions["stored"],
        delivered=functions["delivered"],
        acknowledged=functions["acknowledged"],
        waiting=functions["waiting"],
    )


def load_identities(name: str, *, folder: str) -> Identities | None:
    """The users that ``--identities`` names; None where it names none.

    Raises:
        CannotLoad: there is no such module or object, or it identifies nobody.
    """
    if not name:
        return None
    found = _load("--identities", name, "identify", ("claim",), folder)
    return cast("Identities", found)


def _load(
    flag: str, name: str, method: str, parameters: tuple[str, ...], folder: str
) -> object:
    """The object of this name, made if it has to be, with this method."""
    where = f"{flag} {name}"
    found = _find(where, name, folder)
    if inspect.isclass(found) or (not hasattr(found, method) and callable(found)):
        found = _call(where, found)
    asked = getattr(found, method, None)
    shape = f"async def {method}(self, {', '.join(parameters)})"
    if not callable(asked):
        kind = type(found).__name__
        raise CannotLoad(f"{where}: the {kind} that it is has no {shape}.")
    if not inspect.iscoroutinefunction(asked) or not _takes(asked, len(parameters)):
        raise CannotLoad(f"{where}: its {method} is not {shape}.")
    return found


def _find(where: str, name: str, folder: str) -> object:
    """What stands under ``module:object``."""
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise CannotLoad(f"{where}: it is written module:object.")
    found = _import(where, module_name, folder)
    file = getattr(found, "__file__", None) or "a module without a file"
    for part in path.split("."):
        if not hasattr(found, part):
            raise CannotLoad(f"{where}: {module_name} ({file}) has no {path}.")
        found = getattr(found, part)
    return found


def _import(where: str, module_name: str, folder: str) -> object:
    place = str(Path(folder).resolve())
    if place not in sys.path:
        sys.path.append(place)
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing != module_name and not module_name.startswith(f"{missing}."):
            raise _fault(where, f"{module_name} cannot be imported", error) from error
        raise CannotLoad(
            f"{where}: there is no module {missing}, installed or in {place}."
        ) from error
    except Exception as error:
        raise _fault(where, f"{module_name} cannot be imported", error) from error


def _call(where: str, found: object) -> object:
    """What a class or a factory makes."""
    make = cast("type[object]", found)
    if not _takes(make, 0):
        raise CannotLoad(f"{where}: it needs arguments; name an object, or a function.")
    try:
        made = make()
    except Exception as error:
        raise _fault(where, "it cannot be made", error) from error
    if inspect.iscoroutine(made):
        made.close()
        raise CannotLoad(f"{where}: what makes it is no plain function, but async.")
    return made


def _takes(called: object, arguments: int) -> bool:
    """Whether it can be called with so many arguments."""
    if not callable(called):
        return False
    try:
        inspect.signature(called).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:  # it is written in C and says nothing of its arguments
        return True
    return True


def _fault(where: str, what: str, error: Exception) -> CannotLoad:
    """A fault in the application's own code: in one line, and whole at debug."""
    _log.debug("%s: %s", where, what, exc_info=error)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CannotLoad(f"{where}: {what}: {reason}{_DEBUG_HELP}.")
