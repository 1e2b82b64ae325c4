-- Everything that a chat keeps. Times are milliseconds since 1970, UTC.

-- An account for ever: when it is deleted the row stays as a tombstone, for as long as
-- mail or an idempotency key names it. AUTOINCREMENT: an id is never used again.
CREATE TABLE account (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    epoch         INTEGER NOT NULL DEFAULT 0,
    deleted       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX account_live ON account (username) WHERE deleted = 0;
CREATE INDEX account_tombstone ON account (id) WHERE deleted = 1;

-- The session of a live account; its epoch is the account's.
CREATE TABLE session (
    account    INTEGER PRIMARY KEY,
    token_hash BLOB    NOT NULL
) STRICT;
CREATE INDEX session_token ON session (token_hash);

-- One row for each live account, small, since each acknowledgement writes it. The
-- highest position ever given is the greatest of `acknowledged`, `removed` (by a
-- retraction) and the positions in `message`: a deposit writes nothing here.
CREATE TABLE mailbox (
    account      INTEGER PRIMARY KEY,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    removed      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Mail that is not acknowledged. A bounce (bounced = 1) has the deleted recipient as
-- its sender, and as its body the JSON array of the positions that were discarded.
-- The body is last: what only counts need not read it.
CREATE TABLE message (
    account    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    sender     INTEGER NOT NULL,
    bounced    INTEGER NOT NULL DEFAULT 0,
    sent_at_ms INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    PRIMARY KEY (account, position)
) STRICT, WITHOUT ROWID;

-- The first result under each idempotency key of a send. `day` is the day in the key
-- (a UUIDv7): what is forgotten is one range, at the front.
CREATE TABLE send_key (
    day          INTEGER NOT NULL,
    sender       INTEGER NOT NULL,
    recipient    TEXT    NOT NULL,
    key          BLOB    NOT NULL,
    body_digest  BLOB    NOT NULL,
    recipient_id INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    sent_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (day, sender, recipient, key)
) STRICT, WITHOUT ROWID;

-- Keys of sends below this one count as unknown, though their rows may be there yet.
CREATE TABLE horizon (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB    NOT NULL
) STRICT;
INSERT INTO horizon VALUES (1, x'');

-- What a `create` or `delete` under a key was about.
CREATE TABLE request (
    key      BLOB    PRIMARY KEY,
    account  INTEGER NOT NULL,
    deletion INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX request_account ON request (account);

-- Decided deletions, in the order of their decisions; their counts so far, and how far
-- the walk over the messages for what the account has sent has come.
CREATE TABLE deletion (
    decision         INTEGER PRIMARY KEY,
    account          INTEGER NOT NULL UNIQUE,
    decided_at_ms    INTEGER NOT NULL,
    retract          INTEGER NOT NULL,
    delivered        INTEGER NOT NULL,
    discarded        INTEGER NOT NULL DEFAULT 0,
    bounces          INTEGER NOT NULL DEFAULT 0,
    kept             INTEGER NOT NULL DEFAULT 0,
    retracted        INTEGER NOT NULL DEFAULT 0,
    inbox_finished   INTEGER NOT NULL,
    walked_account   INTEGER NOT NULL DEFAULT 0,
    walked_position  INTEGER NOT NULL DEFAULT 0,
    finished         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX deletion_unfinished ON deletion (decision) WHERE finished = 0;
