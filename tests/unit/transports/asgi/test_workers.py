"""Worker processes of one server, each of which would have a chat in memory."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[4]
SERVER: Final = """
import multiprocessing, sys
from chatcore import WorkersSplit
from chatstores.memory import MemoryStore
from transports.asgi.workers import only_worker

class OnDisk(MemoryStore):
    durable = True

def work(store, said, leave):
    try:
        with only_worker(store):
            said.put("serves")
            leave.wait()
    except WorkersSplit as split:
        said.put(str(split))

fork = multiprocessing.get_context("fork")
said, leave = fork.Queue(), fork.Event()
store = {"memory": MemoryStore, "disk": OnDisk}[sys.argv[1]]()
workers = [fork.Process(target=work, args=(store, said, leave)) for _ in range(2)]
for worker in workers:
    worker.start()
    print(said.get())
leave.set()
for worker in workers:
    worker.join()
work(store, said, leave)
print(said.get())
"""


@pytest.mark.parametrize(("store", "second"), [("memory", "Another"), ("disk", "serv")])
def test_of_several_workers_one_may_have_a_chat_in_memory(
    store: str, second: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVER, store],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )

    said = ended.stdout.splitlines()
    assert said[0] == "serves"
    assert said[1].startswith(second)
    assert said[2] == "serves"
