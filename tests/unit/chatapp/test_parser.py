"""How a command line is taken apart."""

import pytest

from chatapp.commands import COMMANDS
from chatapp.errors import SettingWrong, UsageWrong
from chatapp.oneshot.delete import policy_of
from chatapp.oneshot.settings import (
    DeleteSettings,
    ListSettings,
    ReceiveSettings,
    SendSettings,
)
from chatapp.parser import parse
from chatapp.settings import merge, options, read_environment
from chatapp.values import Given
from chatcore.commands import InboxAction, OutboxAction


def given(*arguments: str) -> dict[str, object]:
    """What a command line gives, by setting."""
    return parse(arguments)[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "bob", "hello", "there", "--as", "ada"),
        ("send", "--as", "ada", "bob", "hello", "there"),
        ("send", "bob", "--as", "ada", "hello", "there"),
        ("send", "bob", "hello", "--as=ada", "there"),
        ("send", "--as", "ada", "bob", "--", "hello", "there"),
    ],
)
def test_flags_may_stand_among_the_words(arguments: tuple[str, ...]) -> None:
    assert given(*arguments) == {
        "recipient": "bob",
        "text": ["hello", "there"],
        "username": "ada",
    }


def test_after_two_dashes_everything_is_a_word() -> None:
    assert given("send", "bob", "--", "--json", "--", "-1")["text"] == [
        "--json",
        "--",
        "-1",
    ]


def test_an_optional_word_that_is_empty_is_not_there() -> None:
    assert given("list", "") == {}
    assert given("send", "bob", "") == {"recipient": "bob", "text": [""]}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "COMMAND"),
        (("paint",), "paint"),
        (("--json", "list"), "--json"),
        (("send",), "NAME is missing"),
        (("create", "ada", "secret"), "1 more than it takes"),
        (("list", "--ever"), "--ever"),
        (("list", "--as"), "--as"),
    ],
)
def test_words_and_flags_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(UsageWrong) as refused:
        parse(arguments)

    assert complaint in refused.value.text
    assert "secret" not in refused.value.text


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_settings_and_something_that_runs_it(name: str) -> None:
    command = COMMANDS[name]

    assert options(command.load_settings())
    assert callable(command.load_run())


def test_a_variable_does_not_choose_what_a_command_does() -> None:
    environ = {
        "CHATCORE_RECIPIENT": "eve",
        "CHATCORE_KEY": "x",
        "CHATCORE_YES": "1",
        "CHATCORE_USERNAME": "ada",
        "CHATCORE_PASSWORD_FILE": "secret",
    }

    found = [
        read_environment(options(it), environ) for it in (SendSettings, DeleteSettings)
    ]

    assert [set(it) for it in found] == [{"username", "password_file"}] * 2


def test_a_preset_is_two_choices_in_one_word() -> None:
    def policy(**chosen: str) -> tuple[InboxAction, OutboxAction]:
        flags = {name: Given(value, name) for name, value in chosen.items()}
        layer = {"username": Given("ada", "--as"), **flags}
        return policy_of(merge(DeleteSettings, [layer]))

    assert policy() == (InboxAction.DELIVER, OutboxAction.KEEP)
    assert policy(preset="discard+keep") == (InboxAction.DISCARD, OutboxAction.KEEP)
    assert policy(preset="discard+retract") == (
        InboxAction.DISCARD,
        OutboxAction.RETRACT,
    )
    assert policy(outbox="retract") == (InboxAction.DELIVER, OutboxAction.RETRACT)


def test_somebody_has_to_log_in() -> None:
    for settings in (ListSettings, ReceiveSettings):
        with pytest.raises(SettingWrong, match="--as NAME, or CHATCORE_USERNAME"):
            merge(settings, [])
