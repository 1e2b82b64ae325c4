"""Files that an earlier version has written open with all they have.

``schema_N.sql`` is a dump of a file of the schema N, with mail, keys and receipts.
A new schema adds its own.
"""

from importlib.resources import files
from pathlib import Path

import apsw
import pytest

from chatcore.ids import AccountId, AddressHash, Epoch, Position, TokenHash, Username
from chatcore.model import NO_MARK, DeletionReceipt, LogMark
from chatcore.store import Declined, Stored
from chatstores.sqlite import open_sqlite
from chatstores.sqlite.checking import check
from chatstores.sqlite.migrations import APPLICATION_ID, steps
from chatstores.sqlite.wal import STATE_SINCE
from chatstores.sqlite.webhook_table import WEBHOOKS_SINCE
from tests.unit.chatstores.store_driver import NOW_MS, Person, StoreDriver, key

FIRST = """
    INSERT INTO account VALUES (1, 'ada', 'hash of ada', 5, 3, 0);
    INSERT INTO account VALUES (2, 'bob', 'hash of bob', 6, 1, 0);
    INSERT INTO account VALUES (4, 'carol', 'hash of carol', 7, 2, 1);
    INSERT INTO session VALUES (1, x'aa');
    INSERT INTO mailbox VALUES (1, 2, 0);
    INSERT INTO mailbox VALUES (2, 0, 9);
    INSERT INTO message VALUES (1, 3, 2, 0, 50, 'from bob');
    INSERT INTO message VALUES (1, 4, 4, 0, 51, 'from carol');
    INSERT INTO message VALUES (1, 5, 4, 1, 52, '[7,8]');
    INSERT INTO request VALUES ({key_2}, 4, 1);
    INSERT INTO deletion VALUES (1, 4, 52, 0, 0, 2, 1, 1, 0, 1, 9, 9, 1);
    INSERT INTO send_key VALUES (20000, 1, 'bob', {key_1}, x'00', 2, 8, 49);
    UPDATE horizon SET key = {key_1};
"""
"""What a file of the first schema held: sessions, mail, a tombstone and a horizon."""

DUMPS = sorted(Path(__file__).parent.glob("schema_*.sql"))

ADA = Person(AccountId(1), Username("ada"), Epoch(2))
BOB = Person(AccountId(2), Username("bob"), Epoch(1))


def version_of(dump: Path) -> int:
    """The schema that a dump is of."""
    return int(dump.stem.removeprefix("schema_"))


@pytest.fixture(params=DUMPS, ids=lambda it: it.stem)
def dumped(request: pytest.FixtureRequest, file: Path) -> tuple[int, Path]:
    """A schema, and a file of it."""
    dump: Path = request.param
    connection = apsw.Connection(str(file))
    connection.execute(dump.read_text(encoding="utf-8"))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version_of(dump)}")
    connection.close()
    return version_of(dump), file


def test_there_is_a_dump_of_each_schema() -> None:
    assert [version_of(it) for it in DUMPS] == list(range(1, len(steps()) + 1))


def test_each_dump_is_sound(dumped: tuple[int, Path]) -> None:
    schema, file = dumped

    report = check(file)

    assert (report.schema, report.messages, report.findings) == (schema, 4, [])


@pytest.mark.rule("M2", "M3", "D4", "D6", "S6")
async def test_a_file_of_each_schema_opens_with_mail_keys_and_receipts_whole(
    dumped: tuple[int, Path],
) -> None:
    schema, file = dumped
    async with open_sqlite(file) as store:
        driver = StoreDriver(store)
        mail = await driver.bodies(ADA), await driver.bounces(ADA)
        kept = await driver.bodies(BOB)
        box = await store.mailbox(ADA.id)
        sessions = [it.account for it in await store.sessions()]
        repeats = [
            await driver.send(BOB, "ada", "one", under=key(5)),
            await driver.send(ADA, "bob", "kept", under=key(6)),
        ]
        other = await driver.send(BOB, "ada", "another", under=key(5))
        receipt = await driver.receipt_under(key(7))
        horizon = await store.horizon()
        mark = await store.log_mark()
        sent = await driver.send(BOB, "ada", "new", under=key(8))

    assert mail == (["zwölf", "three"], [(1,)])
    assert kept == ["kept"]
    assert (box.acknowledged, box.head, box.queued) == (1, 4, 3)
    assert sessions == [1, 2]
    assert repeats == [
        [Stored(ADA.id, Position(1), NOW_MS, new=False)],
        [Stored(BOB.id, Position(1), NOW_MS, new=False)],
    ]
    assert other == [Declined.OTHER_BODY]
    assert receipt == DeletionReceipt(discarded=1, bounces=1)
    assert horizon == key(1)
    assert mark == (LogMark(3, b"\xab") if schema >= STATE_SINCE else NO_MARK)
    assert sent == [Stored(ADA.id, Position(5), NOW_MS, new=True)]
    assert check(file).findings == []


async def test_a_file_of_each_schema_opens_with_the_webhooks_that_wait(
    dumped: tuple[int, Path],
) -> None:
    schema, file = dumped
    async with open_sqlite(file) as store:
        counts = store.outbox.waiting, store.outbox.failed
        due = await store.outbox.due(
            "https://app.example/hooks", now_ms=2 * NOW_MS, longest_ms=0, limit=9
        )
        driver = StoreDriver(store)
        await store.outbox.begin(
            ["https://app.example/hooks"], with_body=False, retry_failed=False
        )
        await driver.send(BOB, "ada", "new", under=key(8))
        later = store.outbox.waiting

    told = [(it.number, it.attempts, it.sender, it.position, it.body) for it in due]
    has_some = schema >= WEBHOOKS_SINCE
    assert counts == ((1, 1) if has_some else (0, 0))
    assert told == ([(4, 2, "bob", 2, "zwölf")] if has_some else [])
    assert later == counts[0] + 1
    assert check(file).findings == []


@pytest.fixture
def first(file: Path) -> Path:
    """A file of the first schema, made with nothing of this version but its SQL."""
    step = files("chatstores.sqlite.schema") / "0001_accounts_mail_and_deletions.sql"
    keys = {f"key_{number}": f"x'{key(number).hex()}'" for number in (1, 2)}
    connection = apsw.Connection(str(file))
    connection.execute(step.read_text(encoding="utf-8"))
    connection.execute(FIRST.format(**keys))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    return file


async def test_a_file_of_the_first_schema_opens_with_all_it_has(first: Path) -> None:
    async with open_sqlite(first) as store:
        ada = Person(AccountId(1), Username("ada"), Epoch(3))
        mail = await store.read(
            ada.id, after=Position(2), messages=9, body_bytes=10_000
        )
        names = await store.names(prefix="", after="", limit=9)
        (session,) = await store.sessions()
        receipt = await StoreDriver(store).receipt_under(key(2))

    assert [it.position for it in mail] == [3, 4, 5]
    assert [name for _, name in names] == ["ada", "bob"]
    assert (session.account, session.epoch, session.token_hash) == (1, 3, b"\xaa")
    assert receipt == DeletionReceipt(discarded=2, bounces=1, kept=1)


@pytest.mark.rule("B4", "B7")
async def test_a_file_of_the_first_schema_learns_what_is_new(first: Path) -> None:
    home = AddressHash(b"home")
    async with open_sqlite(first) as store:
        driver = StoreDriver(store)
        ada = Person(AccountId(1), Username("ada"), Epoch(3))
        horizon = await store.horizon()
        expired = await driver.send(ada, "bob", "hi", under=key(0))
        sent = await driver.send(ada, "bob", "hi", under=key(3))
        unknown = await store.knows_address(ada.id, home, since_ms=0)
        await driver.login(ada.id, address=home)

    async with open_sqlite(first) as store:
        known = await store.knows_address(ada.id, home, since_ms=NOW_MS)
        gone = await store.resume_session(TokenHash(b"\xaa"), last_seen=Position(0))

    assert horizon == key(1)
    assert expired == [Declined.KEY_EXPIRED]
    assert sent == [Stored(AccountId(2), Position(10), NOW_MS, new=True)]
    assert (unknown, known, gone) == (False, True, None)
