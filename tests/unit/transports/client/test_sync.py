"""The client for code that waits: threads, cells of a notebook, forks."""

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatcore import (
    AccountInUse,
    CannotConnect,
    Chat,
    Client,
    ClientMisused,
    Closed,
    InboxAction,
    NoSuchRecipient,
    SyncClient,
    connect,
    connect_sync,
)
from chatstores.memory import MemoryStore
from chatsystem import INSECURE_FAST_HASH, system_environment
from transports import serve

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server, in a thread of its own."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    found: list[str] = []
    is_up = threading.Event()

    async def run() -> None:
        environment = system_environment(INSECURE_FAST_HASH)
        chat = Chat(MemoryStore())
        async with serve(chat, "tcp://127.0.0.1:0", environment=environment) as urls:
            found.extend(urls)
            is_up.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    is_up.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def ada(url: str) -> Iterator[SyncClient]:
    """Ada, logged in; she is deleted after it, with whatever waits for her."""
    with connect_sync(url) as client:
        client.login("ada", PASSWORD, create=True)
        yield client
        client.delete("ada", PASSWORD, inbox=InboxAction.DISCARD)


def test_it_says_and_reads_as_the_other_client_does(ada: SyncClient) -> None:
    receipts = [ada.send("ada", "one"), *ada.send_all([("ada", "two"), ("ada", "3")])]

    taken = []
    for message in ada.messages(within_s=10):
        taken.append(message.body)
        if len(taken) == len(receipts):
            break

    assert taken == ["one", "two", "3"]
    assert (ada.username, [it.username for it in ada.list("ad*")]) == ("ada", ["ada"])
    with pytest.raises(NoSuchRecipient):
        ada.send("nobody", "hello")


def test_reading_ends_when_nothing_has_come_in_time(ada: SyncClient) -> None:
    assert list(ada.messages(within_s=0.01)) == []
    ada.send("ada", "after that")
    assert [it.body for it in ada.messages(within_s=0.2)] == ["after that"]


def test_threads_share_one_client(ada: SyncClient) -> None:
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda n: ada.send("ada", str(n)), range(100)))

    assert len({it.position for it in receipts}) == 100
    assert len([*zip(range(100), ada.messages(within_s=10), strict=False)]) == 100


def test_cells_of_a_notebook_open_and_close_it(url: str) -> None:
    client = connect_sync(url)
    client.open()
    client.open()
    client.login("nora", PASSWORD, create=True)
    client.close()
    client.close()

    with pytest.raises(Closed, match="not open"):
        client.send("nora", "hello")
    client.open()
    client.login("nora", PASSWORD)
    client.close()


def test_what_was_taken_last_is_acknowledged_when_a_block_ends_well(url: str) -> None:
    with connect_sync(url) as eve:
        eve.login("eve", PASSWORD, create=True)
        eve.send_all([("eve", "one"), ("eve", "two")])
        first = next(eve.messages())

    with connect_sync(url) as again:
        again.login("eve", PASSWORD)
        left = [it.body for it in again.messages(within_s=0.2)]

    assert (first.body, left) == ("one", ["two"])


def test_what_was_taken_last_comes_again_after_an_exception(url: str) -> None:
    def fail() -> None:
        with connect_sync(url) as dan:
            dan.login("dan", PASSWORD, create=True)
            dan.send("dan", "one")
            for _ in dan.messages():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with connect_sync(url) as again:
        again.login("dan", PASSWORD)
        assert [it.body for it in again.messages(within_s=0.2)] == ["one"]


def test_what_cannot_be_opened_says_why_and_leaves_no_thread(url: str) -> None:
    before = threading.active_count()

    with pytest.raises(CannotConnect):
        connect_sync("tcp://127.0.0.1:1", reconnect=None).open()

    assert threading.active_count() == before
    with connect_sync(url) as one, connect_sync(url) as two:
        one.login("max", PASSWORD, create=True)
        with pytest.raises(AccountInUse):
            two.login("max", PASSWORD)


def test_its_own_thread_is_told_that_it_would_wait_for_itself(url: str) -> None:
    refused: list[Exception] = []

    def ask(_: object) -> None:
        try:
            client.send("ivy", "from within")
        except ClientMisused as error:
            refused.append(error)

    with connect_sync(url, on_received=ask) as client:
        client.login("ivy", PASSWORD, create=True)
        client.send("ivy", "hello")
        for _ in client.messages(within_s=0.2):
            client.acknowledge()

    assert "wait for itself" in str(refused[0])


def _ask_in_child(
    client: SyncClient, answers: "multiprocessing.SimpleQueue[str]"
) -> None:
    try:
        client.send("ada", "from a fork")
    except ClientMisused as error:
        answers.put(str(error))
    client.close()


def test_a_fork_is_told_to_open_its_own(ada: SyncClient) -> None:
    forking = multiprocessing.get_context("fork")
    answers = forking.SimpleQueue()

    child = forking.Process(target=_ask_in_child, args=(ada, answers))
    child.start()
    child.join(10)

    assert (child.exitcode, "after the fork" in answers.get()) == (0, True)
    ada.send("ada", "the parent goes on")


def test_a_client_of_another_event_loop_names_the_mistake(url: str) -> None:
    async def use(client: Client) -> None:
        with pytest.raises(ClientMisused, match="another event loop"):
            await client.send("lou", "hello")
        with pytest.raises(ClientMisused, match="another event loop"):
            await anext(client.messages())

    async def main() -> None:
        async with connect(url) as client:
            await client.login("lou", PASSWORD, create=True)
            await asyncio.to_thread(asyncio.run, use(client))
            await client.send("lou", "its own loop goes on")

    asyncio.run(main())
