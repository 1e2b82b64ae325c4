"""What is told of the machine, and of what transports were set to."""

import os
from pathlib import Path

import pytest

from chatbench.machine import (
    Cores,
    choose_cores,
    commit_of_source,
    describe_machine,
)
from chatbench.tuning import describe_settings


def test_server_and_load_get_two_of_the_cores_that_we_may_use() -> None:
    usable = os.sched_getaffinity(0)

    cores = choose_cores()

    assert cores.are_apart == (len(usable) > 1)
    assert {cores.server, cores.generator} <= usable | {None}
    assert not cores.are_apart or cores.server != cores.generator


def test_on_one_core_nothing_is_pinned_and_the_settings_say_so() -> None:
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours)})

    try:
        cores = choose_cores()
    finally:
        os.sched_setaffinity(0, ours)

    assert cores == Cores(None, None)
    assert "not pinned" in str(cores)
    assert not describe_machine(cores).pinned


def test_a_machine_is_described_with_the_version_of_each_library() -> None:
    machine = describe_machine(choose_cores())

    assert machine.cpu
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory_bytes > 2**20
    assert {"python", "grpcio", "protobuf", "websockets", "sqlite"} <= set(
        machine.versions
    )


def test_the_commit_is_ten_digits_with_a_plus_for_changes_or_unknown() -> None:
    commit = commit_of_source()

    assert commit == "unknown" or set(commit) <= set("0123456789abcdef+")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("tcp", "TCP_NODELAY on"),
        ("websocket", "compression=None"),
        ("grpc", "keepalive_time_ms"),
        ("sqlite", "FULL"),
        ("disk", "fsync"),
        ("cores", "server on 0"),
    ],
)
def test_settings_are_told_as_they_are(setting: str, told: str, tmp_path: Path) -> None:
    settings = describe_settings(Cores(0, 1), tmp_path)

    assert told in settings[setting]
    assert list(tmp_path.iterdir()) == []
