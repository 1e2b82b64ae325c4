"""One round of each workload, on a real server."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from chatbench.cells import Cell, Contestant, Order, Workload
from chatbench.generator import run_round
from chatbench.latencies import decode, value_us
from chatbench.loads.listing import prepare_accounts
from chatbench.samples import Sample
from chatbench.servers import start_server


def cell(workload: Workload, transport: str = "tcp", store: str = "memory") -> Cell:
    contestant = Contestant(
        name=f"{transport}-protobuf-{store}",
        transport=transport,
        codec="protobuf",
        store=store,
    )
    return Cell(contestant=contestant, workload=workload)


@contextmanager
def served(asked: Cell, folder: Path, accounts: Path | None = None) -> Iterator[Order]:
    with start_server(asked, folder, None, accounts=accounts) as server:
        yield Order(
            cell=asked, round=3, url=server.wait(), server_pid=server.pid, seed=1
        )


def generate(order: Order) -> Sample:
    """As the runner does it."""
    done = subprocess.run(
        [sys.executable, "-m", "chatbench.generator"],
        input=msgspec.json.encode(order) + b"\n",
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Sample)


def loop_of(name: str, pairs: int, in_flight: int) -> Workload:
    return Workload(
        label=name,
        name="rtt" if name == "rtt" else "throughput",
        pairs=pairs,
        in_flight=in_flight,
        warm_up_s=0.1,
        measure_s=0.2,
    )


def test_one_message_at_a_time_has_its_latency_told(tmp_path: Path) -> None:
    with served(cell(loop_of("rtt", 1, 1)), tmp_path) as order:
        sample = generate(order)

    assert sample.is_valid, sample
    assert (sample.contestant, sample.workload, sample.round) == (
        "tcp-protobuf-memory",
        "rtt",
        3,
    )
    assert sample.seconds == pytest.approx(0.2, rel=0.1)
    assert sample.latency_us is not None
    assert abs(sample.latency_us.samples - sample.messages) <= 1
    # A message goes up alone, and so does its acknowledgement.
    assert sample.frames_up == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("transport", ["tcp", "grpc"])
def test_the_cost_of_a_message_is_the_servers_clock(
    tmp_path: Path, transport: str
) -> None:
    with served(cell(loop_of("load", 4, 8), transport), tmp_path) as order:
        sample = generate(order)

    assert sample.is_valid, sample
    assert sample.throughput_per_s == sample.messages / sample.seconds
    cpu_us = sample.server_cpu_us_per_message
    assert cpu_us is not None
    # One core and a little: what is counted cannot be more than what there was.
    assert 0 < cpu_us * sample.messages < sample.seconds * 1e6 * (os.cpu_count() or 1)
    assert (sample.server_grpc_us_per_message is not None) == (transport == "grpc")
    assert (sample.server_grpc_us_per_message or 0) < cpu_us
    assert sample.generator_core_share is not None
    assert 0 < sample.generator_core_share <= 1.1


async def test_a_round_that_counts_the_wire_tells_bytes_and_no_times(
    tmp_path: Path,
) -> None:
    with served(cell(loop_of("load", 2, 8)), tmp_path) as order:
        sample = await run_round(msgspec.structs.replace(order, counts_wire=True))

    assert sample.is_valid, sample
    assert sample.wire_bytes_per_message is not None
    # A body of 64 bytes, and what goes with it.
    assert 64 < sample.wire_bytes_per_message.up < 200
    assert 64 < sample.wire_bytes_per_message.down < 200
    assert sample.throughput_per_s is None
    assert sample.latency_us is None
    assert sample.server_cpu_us_per_message is None


async def test_a_stall_is_charged_to_every_message_that_was_due_in_it(
    tmp_path: Path,
) -> None:
    workload = Workload(
        label="rate",
        name="rate",
        pairs=2,
        in_flight=0,
        rate_per_s=1000,
        warm_up_s=0.1,
        measure_s=0.5,
    )
    loop = asyncio.get_running_loop()

    with served(cell(workload), tmp_path) as order:
        loop.call_later(0.3, os.kill, order.server_pid, signal.SIGSTOP)
        loop.call_later(0.5, os.kill, order.server_pid, signal.SIGCONT)
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert sample.latency_histogram is not None
    assert sample.latency_us is not None
    # All that was due in the window counts, whenever it came; on a busy machine it
    # ends a little later than it should.
    due = 1000 * sample.seconds
    assert sample.seconds >= 0.5
    assert sample.latency_us.samples == pytest.approx(due, abs=5)
    # 200 of 500 were due while the server stood still: a quarter waited for 75 ms.
    assert value_us(decode(sample.latency_histogram), 4) > 50_000
    assert sample.schedule_lag_us is not None


async def test_a_lost_frame_makes_a_round_fail(tmp_path: Path) -> None:
    workload = Workload(
        label="rate", name="rate", in_flight=0, rate_per_s=1000, measure_s=0.2
    )

    with served(cell(workload), tmp_path) as order:
        sample = await run_round(msgspec.structs.replace(order, relay_drops=50))

    assert sample.lost > 0
    assert not sample.is_valid


async def test_a_full_mailbox_is_drained_at_login(tmp_path: Path) -> None:
    workload = Workload(label="offline", name="offline", count=2_000, warm_up_s=0)

    with served(cell(workload, store="sqlite"), tmp_path) as order:
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert sample.messages == 2_000
    assert sample.latency_us is None


async def test_logins_and_resumes_are_told_apart(tmp_path: Path) -> None:
    workload = Workload(label="logins", name="logins", count=24, warm_up_s=0)

    with served(cell(workload), tmp_path) as order:
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert sample.messages == 24
    assert sample.server_cpu_us_per_message is not None
    # A resume hashes nothing.
    hashing_us = sample.extras["hashing_login_cpu_us"]
    assert hashing_us > 3 * sample.server_cpu_us_per_message


async def test_every_account_is_listed(tmp_path: Path) -> None:
    workload = Workload(
        label="list", name="list", count=1_200, warm_up_s=0, measure_s=0
    )
    prepared = tmp_path / "prepared.db"
    await asyncio.to_thread(prepare_accounts, f"sqlite:///{prepared}", 1_200)

    with served(cell(workload, store="sqlite"), tmp_path, prepared) as order:
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert sample.messages == 1_201
    assert sample.extras["first_page_us"] > 0


async def test_idle_sessions_cost_memory(tmp_path: Path) -> None:
    workload = Workload(
        label="idle", name="idle", count=100, warm_up_s=0, measure_s=0.1
    )

    with served(cell(workload), tmp_path) as order:
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert 0 < sample.extras["server_bytes_per_session"] < 200_000
    assert sample.extras["server_cpu_share_idle"] < 1


async def test_real_conversations_go_both_ways(tmp_path: Path) -> None:
    workload = Workload(
        label="replay",
        name="replay",
        pairs=3,
        in_flight=2,
        warm_up_s=0.05,
        measure_s=0.1,
    )

    with served(cell(workload), tmp_path) as order:
        sample = await run_round(order)

    assert sample.is_valid, sample
    assert sample.messages > 0


async def test_a_server_that_is_not_there_is_a_fault_in_a_sentence(
    tmp_path: Path,
) -> None:
    with served(cell(loop_of("rtt", 1, 1)), tmp_path) as order:
        pass  # it has stopped

    sample = await run_round(order)

    assert sample.fault is not None
    assert "cannot be reached" in sample.fault
    assert not sample.is_valid


def test_what_is_no_order_is_said_to_be_none() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chatbench.generator"],
        input=b"{}\n",
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(b"This is no order:")
