"""An application's own parts, found by the name that ``serve`` was given."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from chatapp.errors import CannotLoad
from chatapp.extensions import (
    load_credentials,
    load_handlers,
    load_list_policy,
    load_policy,
)
from chatcore import ListNobody, MailWaiting, MessageStored

PARTS = """
    from chatcore import Handlers

    class Silence:
        async def judge(self, sender, sends):
            return [None] * len(sends)

    class Choosy(Silence):
        def __init__(self, most):
            self.most = most

    class Nothing:
        pass

    class NotAsync:
        def judge(self, sender, sends):
            return []

    class TooFew:
        async def judge(self, sender):
            return []

    class Broken:
        def __init__(self):
            raise ZeroDivisionError("on purpose")

    class Friends:
        async def visible(self, asker, names):
            return [True] * len(names)

    class People:
        async def check(self, username, password):
            return True

    class Reader:
        def __init__(self):
            self.told = []

        async def stored(self, messages):
            self.told += messages

        waiting = None

    class Unready:
        def stored(self):
            pass

    handlers = Handlers(waiting=print)

    def make():
        return ready

    async def make_async():
        return ready

    ready = Choosy(3)
    number = 5
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder with modules of an application, which are forgotten afterwards."""
    (tmp_path / "own_parts.py").write_text(dedent(PARTS), encoding="utf-8")
    (tmp_path / "own_fault.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "own_need.py").write_text("import no_such_one\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield str(tmp_path)
    for name in ("own_parts", "own_fault", "own_need"):
        sys.modules.pop(name, None)


def test_handlers_are_ready_ones_or_methods_of_an_object(folder: str) -> None:
    of_methods = load_handlers("own_parts:Reader", folder=folder)
    ready = load_handlers("own_parts:handlers", folder=folder)

    assert of_methods is not None
    assert of_methods.wanted == {MessageStored}
    assert ready is not None
    assert ready.wanted == {MailWaiting}
    assert load_handlers("", folder=folder) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Unready", "its stored is not def stored"),
        ("Nothing", "has none of stored, delivered, acknowledged, waiting"),
        ("number", "has none of stored"),
    ],
)
def test_what_are_no_handlers_is_told(name: str, text: str, folder: str) -> None:
    with pytest.raises(CannotLoad, match=f"--handlers own_parts:{name}: .*{text}"):
        load_handlers(f"own_parts:{name}", folder=folder)


def test_who_is_listed_may_be_nobody_or_the_applications_say(folder: str) -> None:
    found = load_list_policy("own_parts:Friends", folder=folder)

    assert type(found).__name__ == "Friends"
    assert isinstance(load_list_policy("nobody", folder=folder), ListNobody)
    assert load_list_policy("", folder=folder) is None
    with pytest.raises(CannotLoad, match=r"--list-policy own_parts:People: .*visible"):
        load_list_policy("own_parts:People", folder=folder)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("own_parts:Silence", "Silence"),
        ("own_parts:make", "Choosy"),
        ("own_parts:ready", "Choosy"),
    ],
)
def test_a_class_or_function_is_called_and_an_object_is_taken(
    folder: str, name: str, kind: str
) -> None:
    found = load_policy(name, folder=folder)

    assert type(found).__name__ == kind


async def test_credentials_are_found_alike(folder: str) -> None:
    found = load_credentials("own_parts:People", folder=folder)

    assert found is not None
    assert type(found).__name__ == "People"


def test_without_a_name_there_is_none() -> None:
    assert load_policy("", folder=".") is None
    assert load_credentials("", folder=".") is None


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("own_parts", "it is written module:object."),
        (":Silence", "it is written module:object."),
        ("no_such_module:Silence", "there is no module no_such_module, installed or"),
        ("own_parts.inner:Silence", "there is no module own_parts.inner"),
        ("own_parts:Silenec", "own_parts.py) has no Silenec."),
        ("own_parts:Nothing", "the Nothing that it is has no async def judge(self, "),
        ("own_parts:number", "the int that it is has no async def judge(self, "),
        ("own_parts:NotAsync", "its judge is not async def judge(self, sender, sends)"),
        ("own_parts:TooFew", "its judge is not async def judge(self, sender, sends)"),
        ("own_parts:Choosy", "it needs arguments; name an object, or a function."),
        ("own_parts:make_async", "what makes it is no plain function, but async."),
    ],
)
def test_what_is_named_wrongly_is_told_in_a_line(
    folder: str, name: str, complaint: str
) -> None:
    with pytest.raises(CannotLoad) as error:
        load_policy(name, folder=folder)

    assert str(error.value).startswith(f"[720] --policy {name}: ")
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("own_fault:x", "cannot be imported: ZeroDivisionError: division by zero;"),
        ("own_need:x", "cannot be imported: ModuleNotFoundError: No module named"),
        ("own_parts:Broken", "it cannot be made: ZeroDivisionError: on purpose;"),
    ],
)
def test_a_fault_of_the_application_is_whole_at_debug(
    folder: str, name: str, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="chatapp")

    with pytest.raises(CannotLoad) as error:
        load_policy(name, folder=folder)

    assert complaint in str(error.value)
    assert "--log-level debug" in str(error.value)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) in str(error.value)


def test_nothing_in_the_folder_hides_what_is_installed(folder: str) -> None:
    (Path(folder) / "msgspec.py").write_text("", encoding="utf-8")

    with pytest.raises(CannotLoad) as error:
        load_policy("msgspec:Silence", folder=folder)

    assert folder not in str(error.value)
