"""Invitations, as work of the writer."""

from chatcore.ids import IdempotencyKey, InvitationHash
from chatcore.keys import ms_of_key
from chatcore.model import StoredInvitation
from chatstores.sqlite.database import Database


def add_invitation(
    database: Database, invitation: InvitationHash, *, uses: int, expires_at_ms: int
) -> None:
    """Have a code allow so many accounts, until then."""
    database.batch.write(
        "INSERT OR REPLACE INTO invitation VALUES (?, ?, ?)",
        invitation,
        uses,
        expires_at_ms,
    )


def allows(database: Database, invitation: InvitationHash, *, at_ms: int) -> bool:
    """Whether the code is known, not spent, and not expired."""
    row = database.batch.row(
        "SELECT 1 FROM invitation WHERE code = ? AND expires_at_ms > ?",
        invitation,
        at_ms,
    )
    return bool(row)


def invitations(
    database: Database, *, after: InvitationHash, limit: int, at_ms: int
) -> list[StoredInvitation]:
    """Those that allow an account, by their hash."""
    rows = database.batch.rows(
        "SELECT code, uses, expires_at_ms FROM invitation"
        " WHERE code > ? AND expires_at_ms > ? ORDER BY code LIMIT ?",
        after,
        at_ms,
        limit,
    )
    return [StoredInvitation(*row) for row in rows]


def revoke_invitation(database: Database, invitation: InvitationHash) -> bool:
    """Have a code allow nothing any more; whether it was known."""
    sql = "DELETE FROM invitation WHERE code = ?"
    return bool(database.batch.write(sql, invitation))


def spend(database: Database, invitation: InvitationHash, at_ms: int) -> bool:
    """Use a code once; False, and nothing is changed, when it allows nothing."""
    spent = database.batch.write(
        "UPDATE invitation SET uses = uses - 1 WHERE code = ? AND expires_at_ms > ?",
        invitation,
        at_ms,
    )
    database.batch.write(
        "DELETE FROM invitation WHERE code = ? AND uses <= 0", invitation
    )
    return bool(spent)


def forget(database: Database, oldest_key: IdempotencyKey) -> None:
    """Drop those that had expired by the time in this key."""
    database.batch.write(
        "DELETE FROM invitation WHERE expires_at_ms <= ?", ms_of_key(oldest_key)
    )
