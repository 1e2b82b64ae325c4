"""Accounts and their sessions, as work of the writer."""

from collections.abc import Sequence

from chatcore.ids import (
    NO_INVITATION,
    AccountId,
    AddressHash,
    Epoch,
    IdempotencyKey,
    InvitationHash,
    PasswordHash,
    Position,
    TokenHash,
    Username,
)
from chatcore.model import (
    KNOWN_ADDRESSES,
    Account,
    AccountRecord,
    OpenedSession,
    StoredSession,
)
from chatstores.sqlite import invitations
from chatstores.sqlite.cache import CachedAccount
from chatstores.sqlite.database import Database
from chatstores.sqlite.mailboxes import mailbox


def create_account(
    database: Database,
    username: Username,
    password_hash: PasswordHash,
    *,
    key: IdempotencyKey,
    at_ms: int,
    invitation: InvitationHash = NO_INVITATION,
) -> AccountId | None:
    """Add an account and its mailbox; None when the name exists, or the invitation is
    spent.
    """
    if database.cache.account_id(username) is not None:
        return None
    if invitation and not invitations.spend(database, invitation, at_ms):
        return None
    batch = database.batch
    batch.write(
        "INSERT INTO account (username, password_hash, created_at_ms) VALUES (?, ?, ?)",
        username,
        password_hash,
        at_ms,
    )
    account = AccountId(batch.connection.last_insert_rowid())
    batch.write("INSERT INTO mailbox (account) VALUES (?)", account)
    if key:
        batch.write("INSERT OR IGNORE INTO request VALUES (?, ?, 0)", key, account)
    return account


def find_account(database: Database, username: Username) -> Account | None:
    """The account that has this name now."""
    row = database.batch.row(
        "SELECT id, username, password_hash FROM account "
        "WHERE username = ? AND deleted = 0",
        username,
    )
    if not row:
        return None
    return Account(id=row[0], username=row[1], password_hash=row[2])


def change_password(
    database: Database,
    account: AccountId,
    token_hash: TokenHash,
    *,
    old: PasswordHash,
    new: PasswordHash,
) -> Epoch | None:
    """Replace a password and the session's token, and raise the epoch."""
    live = database.cache.account(account)
    if live is None or not _has_password(database, account, old):
        return None
    live.epoch = Epoch(live.epoch + 1)
    database.batch.write(
        "UPDATE account SET password_hash = ?, epoch = ? WHERE id = ?",
        new,
        live.epoch,
        account,
    )
    database.batch.write(
        "UPDATE session SET token_hash = ? WHERE account = ?", token_hash, account
    )
    return live.epoch


def replace_hash(
    database: Database, account: AccountId, old: PasswordHash, new: PasswordHash
) -> None:
    """Keep the same password under another hash, unless it was changed since."""
    database.batch.write(
        "UPDATE account SET password_hash = ? "
        "WHERE id = ? AND password_hash = ? AND deleted = 0",
        new,
        account,
        old,
    )


def names(
    database: Database, *, prefix: str, after: str, limit: int
) -> Sequence[tuple[AccountId, Username]]:
    """A page of names, along the index: UTF-8 sorts by code point."""
    above = "username > ?" if after >= prefix else "username >= ?"
    rows = database.batch.rows(
        f"SELECT id, username FROM account WHERE deleted = 0 AND {above} "  # noqa: S608 (constants)
        "ORDER BY username LIMIT ?",
        max(prefix, after),
        limit,
    )
    return [
        (AccountId(account), Username(name))
        for account, name in rows
        if name.startswith(prefix)
    ]


def open_session(
    database: Database,
    account: AccountId,
    token_hash: TokenHash,
    *,
    password_hash: PasswordHash,
    address: AddressHash,
    at_ms: int,
) -> OpenedSession | None:
    """Replace the account's session, raise its epoch, and know the address."""
    live = database.cache.account(account)
    if live is None or not _has_password(database, account, password_hash):
        return None
    database.batch.write(
        "INSERT OR REPLACE INTO session VALUES (?, ?)", account, token_hash
    )
    if address:
        _keep_address(database, account, address, at_ms)
    return _raise_epoch(database, account, live)


def _has_password(
    database: Database, account: AccountId, password_hash: PasswordHash
) -> bool:
    """Whether the account has this hash, and not another by now (A6)."""
    row = database.batch.row("SELECT password_hash FROM account WHERE id = ?", account)
    return row == (password_hash,)


def knows_address(
    database: Database, account: AccountId, address: AddressHash, *, since_ms: int
) -> bool:
    """Whether the account was logged in to from there since then."""
    row = database.batch.row(
        "SELECT 1 FROM known_address WHERE account = ? AND address = ? AND at_ms >= ?",
        account,
        address,
        since_ms,
    )
    return bool(row)


def resume_session(
    database: Database, token_hash: TokenHash, *, last_seen: Position
) -> OpenedSession | None:
    """Raise the epoch of the session with this token, if ``last_seen`` can be."""
    row = database.batch.row(
        "SELECT account FROM session WHERE token_hash = ?", token_hash
    )
    if not row:
        return None
    account = AccountId(row[0])
    live = database.cache.account(account)
    if live is None:
        return None
    if last_seen > database.cache.box(account).head:
        return _opened(database, account, live)
    return _raise_epoch(database, account, live)


def end_session(database: Database, account: AccountId, epoch: Epoch) -> None:
    """Forget the session, unless its epoch is another by now."""
    live = database.cache.account(account)
    if live is not None and live.epoch == epoch:
        database.batch.write("DELETE FROM session WHERE account = ?", account)


def account_record(database: Database, account: AccountId) -> AccountRecord | None:
    """What is kept about a live account."""
    row = database.batch.row(
        "SELECT created_at_ms, epoch, "
        "EXISTS (SELECT 1 FROM session WHERE session.account = account.id) "
        "FROM account WHERE id = ? AND deleted = 0",
        account,
    )
    if not row:
        return None
    logins = database.batch.rows(
        "SELECT at_ms FROM known_address WHERE account = ? ORDER BY at_ms", account
    )
    return AccountRecord(
        created_at_ms=row[0],
        epoch=row[1],
        has_session=bool(row[2]),
        logins_at_ms=tuple(at_ms for (at_ms,) in logins),
    )


def sessions(database: Database) -> Sequence[StoredSession]:
    """Every session that has not ended, by account."""
    rows = database.batch.rows(
        "SELECT account, username, epoch, token_hash "
        "FROM session JOIN account ON account.id = session.account ORDER BY account"
    )
    return [
        StoredSession(account=account, username=name, epoch=epoch, token_hash=token)
        for account, name, epoch, token in rows
    ]


def _raise_epoch(
    database: Database, account: AccountId, live: CachedAccount
) -> OpenedSession:
    live.epoch = Epoch(live.epoch + 1)
    database.batch.write(
        "UPDATE account SET epoch = ? WHERE id = ?", live.epoch, account
    )
    return _opened(database, account, live)


def _opened(
    database: Database, account: AccountId, live: CachedAccount
) -> OpenedSession:
    return OpenedSession(
        account=account,
        username=live.username,
        epoch=live.epoch,
        mailbox=mailbox(database, account),
    )


def _keep_address(
    database: Database, account: AccountId, address: AddressHash, at_ms: int
) -> None:
    """Keep the address, and of the others the latest (the smallest of one moment).

    This one stays also where a wrong clock has made the others later.
    """
    database.batch.write(
        "INSERT OR REPLACE INTO known_address VALUES (?, ?, ?)", account, address, at_ms
    )
    database.batch.write(
        "DELETE FROM known_address WHERE account = ?1 AND address IN ("
        "SELECT address FROM known_address WHERE account = ?1 AND address <> ?2 "
        "ORDER BY at_ms DESC, address LIMIT -1 OFFSET ?3)",
        account,
        address,
        KNOWN_ADDRESSES - 1,
    )
