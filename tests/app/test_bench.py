"""``chatcore bench`` as a person runs it, with the smallest part of a plan."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.processes import COMMAND, PATIENCE_S, Finished, chatcore, environment

TINY = (
    *("bench", "--quick", "--rounds", "1", "--seed", "7"),
    *("--transport", "tcp", "--store", "memory", "--workload", "rtt"),
)
PROMISED = {
    *("contestant", "transport", "codec", "store", "workload", "in_flight", "pairs"),
    *("body_bytes", "rounds", "messages", "lost", "duplicated", "out_of_order"),
    *("valid", "generator_bound", "throughput_per_s", "server_cpu_us_per_message"),
    *("latency_us", "wire_bytes_per_message", "server_rss_bytes"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def finished(folder: Path) -> Finished:
    return chatcore(*TINY, "--out", str(folder))


@pytest.mark.slow
def test_a_run_writes_the_figures_and_the_page(
    finished: Finished, folder: Path
) -> None:
    results = json.loads((folder / "results.json").read_bytes())
    rows = results["results"]

    assert finished.status == 0, finished.errors
    assert {it.name for it in folder.iterdir()} == {"results.json", "report.html"}
    assert [it["contestant"] for it in rows] == [
        "tcp-protobuf-memory",
        "tcp-msgpack-memory",
    ]
    assert set(rows[0]) >= PROMISED
    assert all(it["valid"] and it["messages"] > 0 for it in rows)
    assert all(it["server_cpu_us_per_message"] > 0 for it in rows)
    assert {"p50", "p90", "p99", "p999", "max"} <= set(rows[0]["latency_us"])
    assert results["version"] == 1
    assert results["seed"] == 7
    assert results["command"] == " ".join(
        ["chatcore", *TINY[:2], *TINY[6:], *TINY[2:6]]
    )


@pytest.mark.slow
def test_a_look_says_that_it_is_no_result(finished: Finished, folder: Path) -> None:
    results = json.loads((folder / "results.json").read_bytes())

    assert results["is_result"] is False
    assert any("not a result" in line for line in finished.lines)
    assert any("round 1 of 1" in line for line in finished.errors.splitlines())


@pytest.mark.slow
def test_two_results_can_be_compared(finished: Finished, folder: Path) -> None:
    assert finished.status == 0

    compared = chatcore("bench", "--compare", str(folder), str(folder / "results.json"))

    assert compared.status == 0, compared.errors
    assert compared.lines


@pytest.mark.slow
def test_for_a_program_the_results_come_on_stdout_alone(tmp_path: Path) -> None:
    ran = chatcore(*TINY, "--json", "--out", str(tmp_path))

    (line,) = ran.lines
    assert ran.status == 0, ran.errors
    assert json.loads(line)["rounds"] == 1


def processes_below(folder: Path) -> set[int]:
    """Processes whose command names something in a folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if f"{folder}/.cells-".encode() in words:
                found.add(int(entry.name))
    return found


AGAINST = ("bench", "--against", "HEAD", "--transport", "tcp")


@pytest.fixture(params=[(*TINY, "--rounds", "50"), AGAINST], ids=["plan", "against"])
def running(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator["subprocess.Popen[str]"]:
    """A run over SQLite, whose server names a database in the folder."""
    words = [*request.param, "--store", "sqlite", "--out", str(tmp_path)]
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_run_that_is_interrupted_leaves_no_server_and_no_file(
    running: "subprocess.Popen[str]",
    tmp_path: Path,
    number: signal.Signals,
    status: int,
) -> None:
    while not processes_below(tmp_path):
        assert running.poll() is None

    running.send_signal(number)
    _, errors = running.communicate(timeout=PATIENCE_S)

    assert running.returncode == status
    assert errors.splitlines()[-1] == "Interrupted: nothing was written."
    assert processes_below(tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--quick", "--full"), "choose one"),
        (("--compare", "old.json"), "--compare OLD NEW"),
        (("--transport", "pigeon"), "no transport 'pigeon'; it has grpc, tcp"),
        (("--workload", "sleep"), "no workload 'sleep'"),
        (("--rounds", "-1"), "not below 0"),
        (("--against", "HEAD", "--quick"), "a plan of its own"),
        (("--against", "HEAD", "--transport", "pigeon"), "no transport 'pigeon'"),
        (("--fail-on", "worse"), "is for --against"),
        (("--against", "HEAD", "--fail-on", "anything"), "one of nothing, worse"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    flags: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    refused = chatcore("bench", *flags, folder=tmp_path)

    (line,) = refused.errors.splitlines()
    assert refused.status == 2
    assert complaint in line
    assert list(tmp_path.iterdir()) == []


def test_against_an_unknown_commit_nothing_is_run(tmp_path: Path) -> None:
    refused = chatcore("bench", "--against", "nobody", "--out", str(tmp_path))

    (line,) = refused.errors.splitlines()
    assert refused.status == 2
    assert line.endswith("git knows no commit 'nobody' here.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", '{"version": 0}'])
def test_a_file_that_holds_no_results_is_refused_in_one_line(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")

    refused = chatcore("bench", "--compare", str(tmp_path), str(tmp_path))

    (line,) = refused.errors.splitlines()
    assert refused.status == 2
    assert "cannot be read as results" in line


def test_a_folder_that_cannot_be_made_is_told_before_the_run(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")

    refused = chatcore(*TINY, "--out", str(taken / "below"))

    (line,) = refused.errors.splitlines()
    assert refused.status == 1
    assert "cannot be written" in line


def test_where_the_comparison_is_not_installed_one_line_says_how_to_get_it() -> None:
    code = "import importlib.metadata, sys; "
    code += "importlib.metadata.entry_points = lambda **_: (); "
    code += "from chatapp.cli import main; sys.exit(main(['bench']))"

    refused = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment(),
    )

    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 2
    assert "chatcore bench needs pip install chatcore-bench" in line
    assert line.endswith("pip install ./benchmarks)")
