"""The audit log's own file."""

import json
import logging
import stat
from pathlib import Path

import pytest

from chatapp.audit_file import audit_to
from chatapp.errors import CannotWrite
from chatcore.errors import WrongCredentials
from chatcore.ids import AccountId, Username
from chatcore.model import AuditAction, AuditEvent, Origin
from transports.audit_log import AUDIT, AuditLog

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


@pytest.mark.rule("B8")
async def test_its_file_is_for_its_owner_and_has_an_object_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.log"
    logging.getLogger(AUDIT).setLevel(logging.WARNING)

    with audit_to(path):
        AuditLog().audit(LOGIN)
        AuditLog().audit(FAILED)
    logging.getLogger(AUDIT).setLevel(logging.NOTSET)

    lines = [json.loads(it) for it in path.read_text("utf-8").splitlines()]
    assert [it["fields"]["outcome"] for it in lines] == ["done", "refused"]
    assert [it["connection"] for it in lines] == ["c7", "c7"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert caplog.records == []


async def test_it_is_opened_again_after_a_rotation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, rotated = tmp_path / "audit.log", tmp_path / "audit.log.1"
    log = AuditLog()

    with audit_to(path) as file:
        log.audit(LOGIN)
        path.rename(rotated)
        log.audit(LOGIN)
        file.reopen()
        log.audit(FAILED)
        path.unlink()
        path.mkdir()
        file.reopen()
        log.audit(LOGIN)

    assert len(rotated.read_text("utf-8").splitlines()) == 2
    (told,) = caplog.records
    assert told.getMessage().startswith("The audit log cannot be opened again: ")


async def test_a_disk_that_is_full_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = AuditLog()

    with audit_to(Path("/dev/full")):
        for _ in range(10):
            log.audit(LOGIN)

    (told,) = caplog.records
    assert told.getMessage().startswith("The audit log cannot be written: [Errno 28]")
    assert told.exc_info is None


def test_a_file_that_cannot_be_is_a_numbered_error(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotWrite, match="No such file or directory"),
        audit_to(tmp_path / "no folder" / "audit.log"),
    ):
        pass
