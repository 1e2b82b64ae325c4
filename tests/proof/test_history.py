"""The judge of histories finds what is planted, and nothing in a good history.

The good history is that of a real run, in which everything happens that can: repeats,
a refusal, a lost link, a client that begins again, deletions, a name that comes back
and a server that is killed. Each fault is planted in it by a small forgery.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import pytest

from chatcore import Chat, SecondLogin
from chatcore.commands import DeliveryMode, InboxAction, OutboxAction, Send
from chatstores.sqlite import open_sqlite
from chatsystem import HashSettings, system_environment
from tests.proof.history import (
    Acknowledged,
    Began,
    Bounced,
    Deleted,
    Delivered,
    Promise,
    Receipt,
    Record,
    Refused,
    Remains,
    Restarted,
    Sent,
    judge,
)
from tests.proof.oracle import UserSession
from tests.proof.random_users import OverMemory
from tests.proof.recording import Recorder, Witness
from transports import Client, ReconnectPolicy, connect, serve

History: TypeAlias = list[Record]
Kind = TypeVar("Kind", bound=Record)
ADA: Final = 1
BOB: Final = 2
CY: Final = 3
"""The accounts of the run, by the order in which they are created."""


class Run(OverMemory):
    """A run that is written, not drawn."""

    def seat(self, account: int) -> UserSession:
        """Who is logged in to an account."""
        return self.oracle.seats[account]

    def write(self, sender: int, recipient: str, body: str, key: int) -> None:
        """Send a message under the key of a number."""
        at_ms = self.oracle.now_ms
        key_bytes = at_ms.to_bytes(6) + b"\x70\x00\x80" + key.to_bytes(7)
        self.ask_to_send(self.seat(sender), Send(recipient, body, key_bytes))

    def lose(self, account: int) -> None:
        """Lose an account's link."""
        seat = self.seat(account)
        assert seat.peer is not None
        seat.peer.lose()
        self.oracle.leave_link(seat)

    def give_up(self, name: str) -> None:
        """Delete an account and what waits for it, on a link of its own."""
        self.delete(
            0,
            name,
            InboxAction.DISCARD,
            OutboxAction.KEEP,
            here=False,
            right=True,
            dry_run=False,
            keyed=False,
            answers=True,
        )


@pytest.fixture(scope="module")
def good() -> Iterator[Sequence[Record]]:
    """What ada, bob and cy saw."""
    run = Run()
    run.begin(SecondLogin.REJECT)
    run.write(ADA, "bob", "first", 1)
    run.write(ADA, "bob", "second", 2)
    run.write(CY, "bob", "third", 3)
    run.write(ADA, "nobody", "refused", 4)
    run.write(ADA, "bob", "second", 2)
    run.acknowledge_in(run.seat(BOB), "first")
    run.lose(BOB)
    run.resume(1, "some", None)
    run.acknowledge_in(run.seat(BOB), "all")
    run.lose(CY)
    run.write(ADA, "cy", "never read", 5)
    run.give_up("cy")
    run.acknowledge_in(run.seat(ADA), "all")
    run.log_in("cy", create=True, right=True, pushes=True, answers=True)
    run.lose(BOB)
    run.write(ADA, "bob", "waits", 6)
    run.oracle.die(killed=True)
    run.resume(0, "all", DeliveryMode.PUSH)
    run.oracle.look()
    run.oracle.look_into_mailboxes()
    yield tuple(run.oracle.records)
    run.teardown()


def test_a_good_history_has_no_fault(good: Sequence[Record]) -> None:
    kinds = {type(it) for it in good}

    faults = judge(good)

    assert faults == []
    assert kinds >= {Receipt, Refused, Bounced, Acknowledged, Deleted, Restarted}


# ---- forgeries: each takes a good history and breaks one promise in it


def find(past: History, kind: type[Kind], **fields: object) -> Kind:
    """The first record of a kind that has these fields."""
    return next(
        it
        for it in past
        if isinstance(it, kind)
        and all(getattr(it, name) == value for name, value in fields.items())
    )


def replaced(past: History, old: Record, new: Record) -> History:
    """A history with another record in the place of the last one like ``old``."""
    index = len(past) - 1 - past[::-1].index(old)
    return [*past[:index], new, *past[index + 1 :]]


def without(past: History, *kinds: Record) -> History:
    """A history in which some records are missing."""
    return [it for it in past if it not in kinds]


def lose_what_waits(past: History) -> History:
    remains = find(past, Remains, account=BOB)
    return replaced(past, remains, remains._replace(positions=()))


def lose_a_delivery(past: History) -> History:
    return without(past, find(past, Delivered, body="second"))


def deliver_twice(past: History) -> History:
    delivered = find(past, Delivered, body="first")
    index = past.index(delivered)
    return [*past[: index + 1], delivered, *past[index + 1 :]]


def deliver_backwards(past: History) -> History:
    first = find(past, Delivered, body="first")
    began = Began("another", BOB, 1)
    return [*past, began, first._replace(client="another", follows=0)]


def swap_receipts(past: History) -> History:
    first = find(past, Receipt, recipient=BOB, position=1)
    second = find(past, Receipt, recipient=BOB, position=2)
    swapped = {
        first: first._replace(position=2),
        second: second._replace(position=1),
    }
    return [swapped.get(it, it) if isinstance(it, Receipt) else it for it in past]


def deliver_another_body(past: History) -> History:
    second = find(past, Delivered, body="second")
    return replaced(past, second, second._replace(body="seccond"))


def use_a_position_again(past: History) -> History:
    third = find(past, Receipt, recipient=BOB, position=3)
    return replaced(past, third, third._replace(position=2))


def deliver_what_was_refused(past: History) -> History:
    first = find(past, Delivered, body="first")
    forged = first._replace(position=9, follows=4, body="refused")
    return [*past, Began("another", BOB, 4), forged._replace(client="another")]


def deliver_before_a_commit_that_fails(past: History) -> History:
    """What a killed server had delivered, its successor does not know."""
    first = find(past, Delivered, body="first")
    forged = first._replace(client="another", position=4, follows=3, body="lost")
    index = past.index(Restarted())
    return [*past[:index], Began("another", BOB, 3), forged, *past[index:]]


def answer_a_repeat_anew(past: History) -> History:
    second = find(past, Receipt, recipient=BOB, position=2)
    return replaced(past, second, second._replace(position=7))


def deliver_to_the_successor(past: History) -> History:
    new = [it for it in past if isinstance(it, Began)][-2].account
    unread = find(past, Sent, body="never read")
    forged = Delivered("cy again", new, 1, 0, unread.sender, unread.body)
    return [*past, Began("cy again", new, 0), forged]


def bounce_to_another(past: History) -> History:
    bounce = find(past, Bounced)
    third = find(past, Receipt, recipient=BOB, position=3)
    return replaced(
        past, bounce, bounce._replace(recipient=BOB, positions=(third.position,))
    )


def swallow_a_bounce(past: History) -> History:
    return without(past, find(past, Bounced))


FORGERIES: Final[Sequence[tuple[Callable[[History], History], Promise]]] = (
    (lose_what_waits, Promise.RECEIPT),
    (lose_a_delivery, Promise.NO_LOSS),
    (deliver_twice, Promise.ONCE),
    (deliver_backwards, Promise.ASCENDING),
    (swap_receipts, Promise.PAIR_ORDER),
    (deliver_another_body, Promise.ONE_MESSAGE),
    (use_a_position_again, Promise.ONE_MESSAGE),
    (deliver_what_was_refused, Promise.ACCEPTED_ONLY),
    (deliver_before_a_commit_that_fails, Promise.ONE_MESSAGE),
    (answer_a_repeat_anew, Promise.SAME_RECEIPT),
    (deliver_to_the_successor, Promise.SUCCESSOR),
    (bounce_to_another, Promise.BOUNCE),
    (swallow_a_bounce, Promise.RECEIPT),
)


@pytest.mark.parametrize(
    ("forge", "promise"), FORGERIES, ids=[it.__name__ for it, _ in FORGERIES]
)
def test_a_planted_fault_is_named(
    good: Sequence[Record], forge: Callable[[History], History], promise: Promise
) -> None:
    forged = forge(list(good))

    faults = judge(forged)

    assert promise in {it.promise for it in faults}, faults


# ---- a run whose order nobody has chosen


NAMES: Final = ("ada", "bob", "cy", "dan")
EACH_SENDS: Final = 60
WITHIN_S: Final = 30.0
SOON: Final = ReconnectPolicy(first_delay_s=0.001, longest_delay_s=0.02)


async def write_to_all(witness: Witness, name: str, client: Client) -> None:
    """Send to everybody in turn; lose the link every now and then."""
    for number in range(EACH_SENDS):
        recipient = NAMES[number % len(NAMES)]
        if number % 20 == 19:  # thrice
            client._driver.drop_link()
        await witness.send(recipient, f"{name} {number}")


async def read_all(witness: Witness, half_is_read: asyncio.Event) -> None:
    """Read until everybody's last message is here."""
    numbers = count(1)
    async for _ in witness.mail():
        number = next(numbers)
        if number == EACH_SENDS // 2:
            half_is_read.set()
        if number == EACH_SENDS:
            return


@pytest.mark.rule("M1", "M3", "M5", "S3", "S6")
async def test_clients_that_lose_their_links_and_their_server_see_a_good_history(
    tmp_path: Path,
) -> None:
    recorder = Recorder()
    environment = system_environment(HashSettings(memory_kib=8, passes=1))
    all_are_here = asyncio.Barrier(len(NAMES))
    half_is_read = asyncio.Event()

    async def live(url: str, name: str) -> None:
        async with connect(url, reconnect=SOON) as client:
            witness = await recorder.login(client, name, "correct horse", process=name)
            await all_are_here.wait()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(write_to_all(witness, name, client))
                tasks.create_task(read_all(witness, half_is_read))

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        async with (
            open_sqlite(tmp_path / "chat.db") as store,
            serve(Chat(store), "tcp://127.0.0.1:0", environment=environment) as (url,),
        ):
            lives = [tasks.create_task(live(url, name)) for name in NAMES]
            await half_is_read.wait()
        recorder.restarted()
        async with (
            open_sqlite(tmp_path / "chat.db") as store,
            serve(Chat(store), url, environment=environment),
        ):
            await asyncio.wait(lives)
            await recorder.look_into(store)

    delivered = [it for it in recorder.records if isinstance(it, Delivered)]
    later = recorder.records[recorder.records.index(Restarted()) :]
    assert len(delivered) == len(NAMES) * EACH_SENDS
    assert {type(it) for it in later} >= {Sent, Receipt, Delivered}
    assert judge(recorder.records) == []
