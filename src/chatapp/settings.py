"""Settings of a command, as one frozen dataclass each, and how their values are found.

A field carries its help in its metadata (``setting``); its annotation says what it can
hold: ``str``, ``int``, ``float``, ``bool``, ``tuple[str, ...]``, a ``Literal``, an enum
of strings, or a dataclass of numbers (``Limits``). From that come the flags, the
environment variables and the keys of the file, and ``merge`` finds the value: flags
before the environment, before the file, before the default.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from chatapp.errors import SettingWrong
from chatapp.values import Given, choices_of, convert, limits_of, make_limits

ENV_PREFIX: Final = "CHATCORE_"
LIMIT_PREFIX: Final = ENV_PREFIX + "LIMIT_"


class Settings(Protocol):
    """Any dataclass of settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Settings)
T = TypeVar("T")

Word: TypeAlias = Literal["", "one", "optional", "rest"]
"""How a setting stands among the words after a command: not at all (it is a flag), as
one that is needed, as one that may be left out, or as all the rest."""

Layer: TypeAlias = Mapping[str, Given]
"""What one source says, by the name of the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting, as a command line needs to know it."""

    name: str
    kind: object
    help: str
    metavar: str
    hidden: bool
    unsets: str
    word: Word
    called: str
    here_only: bool
    default: object

    @property
    def flag(self) -> str:
        """``--log-format``; a repeatable one is named in the singular.

        A word has no flag: it is called as the help shows it, such as ``NAME``.
        """
        if self.word:
            return self.metavar
        if self.called:
            return self.called
        name = "limit" if self.is_limits else self.name
        return "--" + name.replace("_", "-")

    @property
    def is_limits(self) -> bool:
        """Whether it is a table of numbers, each of which can be set by its name."""
        return is_dataclass(self.kind)

    @property
    def repeats(self) -> bool:
        """Whether the flag may be given several times."""
        return self.is_limits or get_origin(self.kind) is tuple

    @property
    def choices(self) -> list[str]:
        """The only values, where they can be listed."""
        return choices_of(self.kind)


def setting(  # noqa: PLR0913  # all but the default are names of what they set
    default: T,
    *,
    help: str,  # noqa: A002  # argparse calls it so
    metavar: str = "",
    hidden: bool = False,
    unsets: str = "",
    word: Word = "",
    called: str = "",
    here_only: bool = False,
    is_secret: bool = False,
) -> T:
    """A field of a settings dataclass.

    ``unsets`` names a setting that this one replaces: giving this one overrides what a
    source of lower rank says there. ``word`` makes it a word instead of a flag;
    ``called`` is the flag's name where the field's cannot be. ``here_only`` takes it
    from the command line alone, as words always are: a variable that some other program
    set must not choose whom a message goes to. One that ``is_secret`` is in no
    ``repr``.
    """
    notes = {
        "help": help,
        "metavar": metavar,
        "hidden": hidden,
        "unsets": unsets,
        "word": word,
        "called": called,
        "here_only": here_only or bool(word),
    }
    made: T = field(default=default, repr=not is_secret, metadata=notes)
    return made


def options(settings: type[Settings]) -> list[Option]:
    """The settings of a dataclass, in the order that it names them."""
    kinds = get_type_hints(settings)
    return [
        Option(
            name=it.name,
            kind=_without_none(kinds[it.name]),
            help=str(it.metadata["help"]),
            metavar=str(it.metadata["metavar"]),
            hidden=bool(it.metadata["hidden"]),
            unsets=str(it.metadata["unsets"]),
            word=it.metadata["word"],
            called=str(it.metadata["called"]),
            here_only=bool(it.metadata["here_only"]),
            default=None if it.default is MISSING else it.default,
        )
        for it in fields(settings)
    ]


def read_environment(known: Iterable[Option], environ: Mapping[str, str]) -> Layer:
    """What ``CHATCORE_…`` variables set; others than the known ones are left alone.

    Raises:
        SettingWrong: ``CHATCORE_LIMIT_…`` names no limit.
    """
    found: dict[str, Given] = {}
    for option in known:
        if option.here_only:
            continue
        if option.is_limits:
            limits = {
                name.removeprefix(LIMIT_PREFIX).lower(): Given(text, name)
                for name, text in environ.items()
                if name.startswith(LIMIT_PREFIX)
            }
            if limits:
                found[option.name] = Given(limits, LIMIT_PREFIX + "…")
            continue
        variable = ENV_PREFIX + option.name.upper()
        if variable in environ:
            text = environ[variable]
            value = text.split() if option.repeats else text
            found[option.name] = Given(value, variable)
    return found


def read_file(known: Iterable[Option], path: Path) -> Layer:
    """What a TOML file sets.

    Raises:
        SettingWrong: it cannot be read, is no TOML, or has a key that is no setting.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingWrong(f"{path} cannot be read: {reason}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingWrong(f"{path} is not TOML: {error}.") from error
    names = {option.name: option for option in known}
    found: dict[str, Given] = {}
    for key, value in content.items():
        if key not in names:
            listed = ", ".join(sorted(names))
            raise SettingWrong(f"{path}: there is no setting {key!r}; known: {listed}.")
        where = f"{path}: {key}"
        if names[key].is_limits and isinstance(value, dict):
            limits = {it: Given(n, f"{where}.{it}") for it, n in value.items()}
            found[key] = Given(limits, where)
        else:
            found[key] = Given(value, where)
    return found


def merge(settings: type[S], layers: Iterable[Layer]) -> S:
    """The settings, from sources in ascending rank; limits are merged one by one.

    Raises:
        SettingWrong: a value that its setting cannot have, and where it stands.
    """
    known = {option.name: option for option in options(settings)}
    values: dict[str, object] = {}
    limits: dict[str, Given] = {}
    for layer in layers:
        for name in layer:
            unset = known[name].unsets
            if unset and unset not in layer:
                values.pop(unset, None)
        for name, given in layer.items():
            if known[name].is_limits:
                limits |= limits_of(given)
            else:
                values[name] = convert(known[name].kind, given)
    for option in known.values():
        if option.is_limits and isinstance(option.kind, type):
            values[option.name] = make_limits(option.kind, limits)
    make: Callable[..., S] = settings
    return make(**values)


def _without_none(kind: object) -> object:
    """``int`` for ``int | None``."""
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        (kind,) = (it for it in get_args(kind) if it is not NoneType)
    return kind
