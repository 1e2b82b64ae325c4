"""Where settings come from, which source wins, and what is refused."""

from pathlib import Path

import pytest

from chatapp.command_settings import DemoSettings, ServeSettings
from chatapp.connecting import ClientSettings
from chatapp.errors import SettingWrong
from chatapp.settings import Layer, merge, options, read_environment, read_file
from chatapp.values import Given
from chatcore import Limits, SecondLogin

SERVE = options(ServeSettings)


def flags(**given: object) -> Layer:
    return {
        name: Given(value, f"--{name.replace('_', '-')}")
        for name, value in given.items()
    }


def from_file(tmp_path: Path, content: str) -> Layer:
    path = tmp_path / "chat.toml"
    path.write_text(content, encoding="utf-8")
    return read_file(SERVE, path)


def test_without_any_source_the_defaults_hold() -> None:
    settings = merge(ServeSettings, [])

    assert settings == ServeSettings()
    assert settings.urls == ("tcp://127.0.0.1:7400",)


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = from_file(tmp_path, 'port = 1\nhost = "a"\nlog_level = "error"')
    environ = {"CHATCORE_PORT": "2", "CHATCORE_HOST": "b"}

    settings = merge(
        ServeSettings, [file, read_environment(SERVE, environ), flags(port="3")]
    )

    assert (settings.port, settings.host, settings.log_level) == (3, "b", "error")


def test_limits_are_merged_one_by_one(tmp_path: Path) -> None:
    file = from_file(
        tmp_path, "[limits]\ngrace_s = 1.5\noperations = 1\npage_names = 1"
    )
    environ = {"CHATCORE_LIMIT_OPERATIONS": "2", "CHATCORE_LIMIT_PAGE_NAMES": "2"}
    flag = flags(limits=["page_names=3"])

    settings = merge(ServeSettings, [file, read_environment(SERVE, environ), flag])

    assert settings.limits == Limits(grace_s=1.5, operations=2, page_names=3)


def test_urls_replace_transport_host_and_port() -> None:
    settings = merge(ServeSettings, [flags(listen=["ws://[::1]:1"], port="9")])

    assert settings.urls == ("ws://[::1]:1",)


def test_a_port_flag_replaces_the_urls_of_a_file(tmp_path: Path) -> None:
    file = from_file(tmp_path, 'listen = ["tcp://10.0.0.1:1"]')

    settings = merge(ServeSettings, [file, flags(port="9")])

    assert settings.urls == ("tcp://127.0.0.1:9",)


def test_urls_in_the_environment_are_parted_by_spaces() -> None:
    environ = {"CHATCORE_CONNECT": "tcp://a:1 tcp://b:2"}

    layer = read_environment(options(ClientSettings), environ)

    assert merge(ClientSettings, [layer]).urls == ("tcp://a:1", "tcp://b:2")


def test_an_address_of_version_6_stands_in_brackets() -> None:
    assert merge(ServeSettings, [flags(host="::1")]).urls == ("tcp://[::1]:7400",)


def test_the_second_login_is_chosen_by_its_name() -> None:
    settings = merge(ServeSettings, [flags(second_login="replace")])

    assert settings.second_login is SecondLogin.REPLACE


def test_a_variable_that_is_no_setting_is_left_alone() -> None:
    assert read_environment(SERVE, {"CHATCORE_SERVICE_HOST": "10.0.0.1"}) == {}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (flags(port="many"), "--port is a whole number, not 'many'."),
        (flags(port="70000"), "The port is 0 to 65535, not 70000."),
        (flags(port=True), "--port is a whole number, not True."),
        (flags(port=1.5), "--port is a whole number, not 1.5."),
        (flags(host=""), "--host is a text, not ''."),
        (flags(host=5), "--host is a text, not 5."),
        (flags(listen="tcp://a:1"), "--listen is a list of texts, not 'tcp://a:1'."),
        (flags(log_level="loud"), "--log-level is one of debug, info, warning, error."),
        (flags(second_login="both"), "--second-login is one of reject, replace."),
        (flags(limits=["grace_s"]), "--limits is NAME=VALUE, not 'grace_s'."),
        (flags(limits=["grace_s=nan"]), "--limits grace_s is a number, not nan."),
        (flags(limits=["grace_s=0"]), "--limits grace_s is more than 0, not 0.0."),
        (flags(limits=["operations=1.5"]), "--limits operations is a whole number"),
        (flags(limits=["bogus=1"]), "--limits bogus: there is no such limit; known: "),
        (
            flags(limits=["password_min_bytes=2000"]),
            "the limit password_max_bytes is at least 2000",
        ),
        (flags(limits=["body_bytes=1000000"]), "frame_bytes is at least 6004096"),
        (flags(insecure_fast_hash="maybe"), "is true or false, not 'maybe'."),
        (flags(hash_memory_kib="7"), "hash_memory_kib is at least 8."),
        (flags(hash_queue="1"), "hash_queue is at least hash_workers."),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(
    given: Layer, complaint: str
) -> None:
    with pytest.raises(SettingWrong) as refused:
        merge(ServeSettings, [given])

    assert complaint in str(refused.value)
    assert str(refused.value).startswith("[701] ")


@pytest.mark.parametrize("number", ["conversations", "pace"])
def test_a_demo_of_nothing_is_refused(number: str) -> None:
    with pytest.raises(SettingWrong):
        merge(DemoSettings, [flags(**{number: "-1"})])


def test_a_limit_variable_that_names_no_limit_is_refused() -> None:
    layer = read_environment(SERVE, {"CHATCORE_LIMIT_MAILBOX": "5"})

    with pytest.raises(SettingWrong, match="CHATCORE_LIMIT_MAILBOX"):
        merge(ServeSettings, [layer])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingWrong, match="cannot be read"):
        read_file(SERVE, tmp_path / "none.toml")


def test_every_setting_has_its_help_and_every_flag_is_its_own() -> None:
    for settings in (ServeSettings, ClientSettings, DemoSettings):
        known = options(settings)

        assert all(option.help for option in known)
        assert len({option.flag for option in known}) == len(known)
