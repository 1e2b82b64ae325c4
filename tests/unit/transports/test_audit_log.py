"""The audit log: its lines, their bound, and who has one without asking for it."""

import logging

import pytest

from chatcore import Chat, WrongCredentials, connect, open_store, serve
from chatcore.errors import TooManyAttempts
from chatcore.ids import AccountId, Username
from chatcore.model import AuditAction, AuditEvent, Origin
from transports.audit_log import AUDIT, FIELDS, AuditLog

HERE = Origin("c7", "tcp", "192.0.2.1:5")
LOGIN = AuditEvent(
    action=AuditAction.LOGIN,
    origin=HERE,
    username=Username("ada"),
    account=AccountId(1),
)
FAILED = AuditEvent(
    action=AuditAction.LOGIN,
    origin=HERE,
    username=None,
    refusal=WrongCredentials(),
)


async def test_a_line_says_who_did_what_from_where(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = AuditLog()

    log.audit(LOGIN)
    log.audit(FAILED)

    done, refused = caplog.records
    assert done.name == refused.name == AUDIT
    assert done.getMessage() == "login of ada from 192.0.2.1:5 over tcp"
    assert refused.getMessage() == (
        "login of (no valid name) from 192.0.2.1:5 over tcp was refused: "
        "[202] WRONG_CREDENTIALS"
    )
    assert vars(done)["connection"] == "c7"
    assert vars(done)[FIELDS] == {
        "action": "login",
        "outcome": "done",
        "username": "ada",
        "account": 1,
        "peer": "192.0.2.1:5",
        "transport": "tcp",
    }
    assert vars(refused)[FIELDS]["code"] == 202
    assert vars(refused)[FIELDS]["outcome"] == "refused"


@pytest.mark.rule("B4")
async def test_a_flood_of_failures_is_bounded_and_hides_no_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = AuditLog()
    throttled = AuditEvent(
        action=AuditAction.LOGIN,
        origin=HERE,
        username=Username("bob"),
        refusal=TooManyAttempts(retry_after_ms=1),
    )

    for _ in range(1000):
        log.audit(FAILED)
        log.audit(throttled)
    for _ in range(50):
        log.audit(LOGIN)

    refused = [it for it in caplog.records if "refused" in it.getMessage()]
    assert len(refused) == 20
    assert len(caplog.records) == 70


@pytest.mark.rule("B8")
async def test_a_chat_within_an_application_tells_who_logs_in_and_who_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    async with (
        open_store("memory:") as store,
        serve(Chat(store), "tcp://127.0.0.1:0") as urls,
        connect(urls) as client,
    ):
        with pytest.raises(WrongCredentials):
            await client.login("ada", "wrong horse")
        await client.login("ada", "correct horse", create=True)

    told = [it.getMessage() for it in caplog.records if it.name == AUDIT]
    ways = [it.partition(" from 127.0.0.1:") for it in told]
    outcomes = [(what, rest.partition(" over ")[2]) for what, _, rest in ways]
    assert outcomes == [
        ("login of ada", "tcp was refused: [202] WRONG_CREDENTIALS"),
        ("create of ada", "tcp"),
        ("login of ada", "tcp"),
    ]
    assert not any("horse" in it for it in told)
