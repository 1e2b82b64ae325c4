"""Accounts and their sessions, as work of the writer."""

from collections.abc import Sequence

from chatcore.ids import (
    AccountId,
    Epoch,
    IdempotencyKey,
    PasswordHash,
    TokenHash,
    Username,
)
from chatcore.model import Account, OpenedSession, StoredSession
from stores.sqlite.books import Books
from stores.sqlite.mailboxes import mailbox


def create(
    books: Books,
    username: Username,
    password_hash: PasswordHash,
    key: IdempotencyKey,
    at_ms: int,
) -> AccountId | None:
    """Add an account and its mailbox; None when the name exists."""
    if books.known.account_id(username) is not None:
        return None
    ledger = books.ledger
    ledger.write(
        "INSERT INTO account (username, password_hash, created_at_ms) VALUES (?, ?, ?)",
        username,
        password_hash,
        at_ms,
    )
    account = AccountId(ledger.connection.last_insert_rowid())
    ledger.write("INSERT INTO mailbox (account) VALUES (?)", account)
    if key:
        ledger.write("INSERT OR IGNORE INTO request VALUES (?, ?, 0)", key, account)
    return account


def find(books: Books, username: Username) -> Account | None:
    """The account that has this name now."""
    row = books.ledger.row(
        "SELECT id, username, password_hash FROM account "
        "WHERE username = ? AND deleted = 0",
        username,
    )
    if not row:
        return None
    return Account(id=row[0], username=row[1], password_hash=row[2])


def set_password(books: Books, account: AccountId, password_hash: PasswordHash) -> bool:
    """Replace a password; False when the account is gone."""
    return bool(
        books.ledger.write(
            "UPDATE account SET password_hash = ? WHERE id = ? AND deleted = 0",
            password_hash,
            account,
        )
    )


def names(
    books: Books, prefix: str, after: str, limit: int
) -> Sequence[tuple[AccountId, Username]]:
    """A page of names, along the index: UTF-8 sorts by code point."""
    above = "username > ?" if after >= prefix else "username >= ?"
    rows = books.ledger.rows(
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
    books: Books, account: AccountId, token_hash: TokenHash
) -> OpenedSession | None:
    """Replace the account's session and raise its epoch."""
    opened = _raise_epoch(books, account)
    if opened is not None:
        books.ledger.write(
            "INSERT OR REPLACE INTO session VALUES (?, ?)", account, token_hash
        )
    return opened


def resume_session(books: Books, token_hash: TokenHash) -> OpenedSession | None:
    """Raise the epoch of the session with this token."""
    row = books.ledger.row(
        "SELECT account FROM session WHERE token_hash = ?", token_hash
    )
    return _raise_epoch(books, AccountId(row[0])) if row else None


def end_session(books: Books, account: AccountId, epoch: Epoch) -> None:
    """Forget the session, unless its epoch is another by now."""
    live = books.known.account(account)
    if live is not None and live.epoch == epoch:
        books.ledger.write("DELETE FROM session WHERE account = ?", account)


def sessions(books: Books) -> Sequence[StoredSession]:
    """Every session that has not ended, by account."""
    rows = books.ledger.rows(
        "SELECT account, username, epoch, token_hash "
        "FROM session JOIN account ON account.id = session.account ORDER BY account"
    )
    return [
        StoredSession(account=account, username=name, epoch=epoch, token_hash=token)
        for account, name, epoch, token in rows
    ]


def _raise_epoch(books: Books, account: AccountId) -> OpenedSession | None:
    live = books.known.account(account)
    if live is None:
        return None
    live.epoch = Epoch(live.epoch + 1)
    books.ledger.write("UPDATE account SET epoch = ? WHERE id = ?", live.epoch, account)
    return OpenedSession(
        account=account,
        username=live.username,
        epoch=live.epoch,
        mailbox=mailbox(books, account),
    )
