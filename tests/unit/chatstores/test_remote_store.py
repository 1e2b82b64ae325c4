"""Stores that are carried out elsewhere: what is sent there, how answers are read."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import cast

import pytest

from chatcore.errors import OutcomeUnknown, StoreUnavailable
from chatcore.ids import (
    NO_KEY,
    AccountId,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    Position,
    Username,
)
from chatcore.model import (
    NO_MARK,
    Account,
    Bounce,
    CleanUp,
    DeletionReceipt,
    Deposit,
    Erasure,
    LoggedErasure,
    LogMark,
    Message,
    Place,
    SentPage,
    SentPlace,
)
from chatcore.store import Declined, KeySpan, MailboxRoom, Store, Stored
from chatstores.remote_store import CallFailed, RemoteStore

ADA, BOB = AccountId(1), AccountId(2)


class Elsewhere(RemoteStore):
    """Notes what it is sent, and answers as it is told.

    Attributes:
        batches: what was sent.
        answers: to the next batch, an answer for each call; or what it raises.
    """

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[object]] = []
        self.answers: list[object] | Exception = []

    async def carry_out(self, calls: str) -> str:
        self.batches.append(json.loads(calls))
        if isinstance(self.answers, Exception):
            raise self.answers
        return json.dumps(self.answers)

    def will_answer(self, *answers: object) -> None:
        self.answers = [{"answer": it} for it in answers]


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    remote = Elsewhere()
    yield remote
    await remote.close()


@pytest.fixture
def store(elsewhere: Elsewhere) -> Store:
    return cast("Store", elsewhere)


async def test_a_call_is_its_name_and_its_arguments_in_the_order_of_the_port(
    elsewhere: Elsewhere, store: Store
) -> None:
    elsewhere.will_answer(3)
    key = IdempotencyKey(b"\x00\xff")
    deposit = Deposit(ADA, Epoch(1), Username("bob"), "zwölf\0", 7, key, 5)
    erasure = Erasure(account=ADA, discard=True, retract=False, key=key, at_ms=5)

    await store.create_account(
        at_ms=9, key=key, password_hash=PasswordHash("x"), username=Username("ada")
    )
    elsewhere.will_answer([1])
    await store.deposit([deposit], keys=KeySpan(NO_KEY, key), room=MailboxRoom(3, 2, 1))
    elsewhere.answers = [{}]
    await store.erase_again(LoggedErasure(LogMark(7, b"\x0a"), erasure))

    assert elsewhere.batches == [
        [["create_account", "ada", "x", "00ff", 9, ""]],
        [
            [
                "deposit",
                [[1, 1, "bob", "zwölf\0", 7, "00ff", 5]],
                [3, 2, 1],
                ["", "00ff"],
            ]
        ],
        [
            [
                "erase_again",
                [
                    [7, "0a"],
                    {
                        "account": 1,
                        "discard": True,
                        "retract": False,
                        "key": "00ff",
                        "at_ms": 5,
                    },
                ],
            ]
        ],
    ]


async def test_an_answer_is_read_by_the_names_of_its_fields_or_in_their_order(
    elsewhere: Elsewhere, store: Store
) -> None:
    row = {"id": 1, "username": "ada", "password_hash": "x", "epoch": 4}
    receipt = {"discarded": 2, "bounces": 1}
    elsewhere.will_answer(
        row,
        None,
        [7, "0aff"],
        [[["bob", 2, 3]], [2, 3]],
        [{}, None],
        {"receipt": receipt, "finished": True},
        [[1, "ada"], [2, "bob"]],
        "0aff",
    )

    answers = await asyncio.gather(
        store.find_account(Username("ada")),
        store.find_account(Username("bob")),
        store.log_mark(),
        store.sent(ADA, after=Place(ADA, Position(0)), messages=1),
        store.sent(ADA, after=Place(ADA, Position(0)), messages=1),
        store.clean_up(ADA, rows=1),
        store.names(prefix="", after="", limit=2),
        store.horizon(),
    )

    assert list(answers) == [
        Account(id=ADA, username=Username("ada"), password_hash=PasswordHash("x")),
        None,
        LogMark(7, b"\x0a\xff"),
        SentPage(
            [SentPlace(Username("bob"), BOB, Position(3))], Place(BOB, Position(3))
        ),
        SentPage([], None),
        CleanUp(DeletionReceipt(discarded=2, bounces=1), finished=True),
        [(1, "ada"), (2, "bob")],
        b"\x0a\xff",
    ]
    assert len(elsewhere.batches) == 1


async def test_what_may_be_one_type_or_another_is_told_by_its_fields(
    elsewhere: Elsewhere, store: Store
) -> None:
    message = {
        "position": 1,
        "sender": "bob",
        "sender_id": 2,
        "sender_deleted": False,
        "body": "hi",
        "body_bytes": 2,
        "sent_at_ms": 5,
    }
    bounce = {
        "position": 2,
        "recipient": "eve",
        "recipient_id": 3,
        "positions": [4, 6],
        "sent_at_ms": 5,
    }
    stored = {"recipient_id": 2, "position": 1, "sent_at_ms": 5, "new": True}
    elsewhere.will_answer([message, bounce], [stored, 5])

    mail, results = await asyncio.gather(
        store.read(ADA, after=Position(0), messages=9, body_bytes=9),
        store.deposit([], room=MailboxRoom(1, 1, 1), keys=KeySpan(NO_KEY, NO_KEY)),
    )

    assert mail == [
        Message(Position(1), Username("bob"), BOB, False, "hi", 2, 5),  # noqa: FBT003  # as the port has it
        Bounce(
            Position(2), Username("eve"), AccountId(3), (Position(4), Position(6)), 5
        ),
    ]
    assert results == [Stored(BOB, Position(1), 5, new=True), Declined.KEY_EXPIRED]


async def test_a_call_that_fails_there_takes_none_along(
    elsewhere: Elsewhere, store: Store
) -> None:
    elsewhere.answers = [
        {"failed": "no such function"},
        {"answer": [0, ""]},
        {"refused": "no room"},
    ]

    failed, mark, refused = await asyncio.gather(
        store.identity(), store.log_mark(), store.horizon(), return_exceptions=True
    )

    assert isinstance(failed, CallFailed)
    assert str(failed) == "no such function"
    assert isinstance(refused, StoreUnavailable)
    assert "no room" in str(refused)
    assert mark == NO_MARK


@pytest.mark.rule("M1")
async def test_what_has_not_begun_is_refused_and_what_was_lost_is_unknown(
    elsewhere: Elsewhere, store: Store
) -> None:
    elsewhere.answers = StoreUnavailable(reason="not there")
    with pytest.raises(StoreUnavailable):
        await store.horizon()

    elsewhere.answers = ConnectionError("lost")

    with pytest.raises(OutcomeUnknown):
        await store.horizon()


async def test_a_text_that_is_none_is_not_sent_and_harms_nobody(
    elsewhere: Elsewhere, store: Store
) -> None:
    elsewhere.will_answer("")

    bad, good = await asyncio.gather(
        store.find_account(Username("\ud800")), store.horizon(), return_exceptions=True
    )

    assert isinstance(bad, UnicodeEncodeError)
    assert good == b""
    assert elsewhere.batches == [[["horizon"]]]


@pytest.mark.rule("M4")
@pytest.mark.parametrize("changed", [True, False])
async def test_who_acknowledges_is_told_once_it_is_committed_and_has_changed_something(
    elsewhere: Elsewhere, store: Store, *, changed: bool
) -> None:
    told: list[str] = []
    elsewhere.will_answer(changed, "")

    store.acknowledge(ADA, Epoch(1), Position(2), lambda: told.append("told"))
    await store.flush()
    await asyncio.sleep(0)

    assert elsewhere.batches == [[["acknowledge", 1, 1, 2], ["horizon"]]]
    assert told == ["told"] * changed
