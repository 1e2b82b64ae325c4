-- A file of the seventh schema (user_version 7), as SQLite dumps it: mail, keys, a session,
-- an address, a bounce, a tombstone, a place in the erasure log, an invitation and webhooks.
BEGIN TRANSACTION;
CREATE TABLE account (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    epoch         INTEGER NOT NULL DEFAULT 0,
    deleted       INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO account VALUES(1,'ada','hash of ada',1728000005000,2,0);
INSERT INTO account VALUES(2,'bob','hash of bob',1728000005000,1,0);
INSERT INTO account VALUES(3,'eve','hash of eve',1728000005000,1,1);
CREATE UNIQUE INDEX account_live ON account (username) WHERE deleted = 0;
CREATE INDEX account_tombstone ON account (id) WHERE deleted = 1;
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
INSERT INTO deletion VALUES(1,3,1728000005000,0,0,1,1,0,0,1,9223372036854775807,0,1);
CREATE INDEX deletion_unfinished ON deletion (decision) WHERE finished = 0;
CREATE TABLE horizon (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB    NOT NULL
) STRICT;
INSERT INTO horizon VALUES(1,X'019254D3938800000000000000000001');
CREATE TABLE invitation (
    code          BLOB    PRIMARY KEY,
    uses          INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO invitation VALUES(X'C0DE',2,1728009005000);
CREATE TABLE journal (
    number  INTEGER PRIMARY KEY,
    entries BLOB    NOT NULL
) STRICT;
CREATE TABLE known_address (
    account INTEGER NOT NULL,
    address BLOB    NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
INSERT INTO known_address VALUES(1,X'686F6D65',1728000005000);
CREATE TABLE mailbox (
    account      INTEGER PRIMARY KEY,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    removed      INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO mailbox VALUES(1,1,0);
INSERT INTO mailbox VALUES(2,0,0);
CREATE TABLE message (
    account    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    sender     INTEGER NOT NULL,
    bounced    INTEGER NOT NULL DEFAULT 0,
    sent_at_ms INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    PRIMARY KEY (account, position)
) STRICT, WITHOUT ROWID;
INSERT INTO message VALUES(1,2,2,0,1728000005000,'zwölf');
INSERT INTO message VALUES(1,3,2,0,1728000005000,'three');
INSERT INTO message VALUES(1,4,3,1,1728000005000,'[1]');
INSERT INTO message VALUES(2,1,1,0,1728000005000,'kept');
CREATE TABLE request (
    key      BLOB    PRIMARY KEY,
    account  INTEGER NOT NULL,
    deletion INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO request VALUES(X'019254D3938800000000000000000007',3,1);
CREATE INDEX request_account ON request (account);
CREATE TABLE "send_key" (
    key          BLOB    NOT NULL,
    sender       INTEGER NOT NULL,
    recipient    TEXT    NOT NULL,
    body_digest  BLOB    NOT NULL,
    recipient_id INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    sent_at_ms   INTEGER NOT NULL,
    ahead        INTEGER NOT NULL,
    PRIMARY KEY (key, sender, recipient)
) STRICT, WITHOUT ROWID;
INSERT INTO send_key VALUES(X'019254D3938800000000000000000005',2,'ada',X'C88D4DF74262143A08E9D190E3BD67F1',1,1,1728000005000,0);
INSERT INTO send_key VALUES(X'019254D3938800000000000000000006',1,'bob',X'6493DC325C0E7C5A37FE5D4DD8A381E3',2,1,1728000005000,0);
CREATE INDEX send_key_ahead ON send_key (sender, recipient, key) WHERE ahead = 1;
CREATE TABLE session (
    account    INTEGER PRIMARY KEY,
    token_hash BLOB    NOT NULL
) STRICT;
INSERT INTO session VALUES(1,X'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO session VALUES(2,X'0000000000000000000000000000000000000000000000000000000000000002');
CREATE INDEX session_token ON session (token_hash);
CREATE TABLE state (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    chat         BLOB    NOT NULL,
    log_sequence INTEGER NOT NULL DEFAULT 0,
    log_digest   BLOB    NOT NULL DEFAULT x'',
    wal_needed   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO state VALUES(1,X'0102030405060708090A0B0C0D0E0F10',3,X'AB',0);
CREATE TABLE webhook (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    target         TEXT    NOT NULL,
    due_at_ms      INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    failed         INTEGER NOT NULL DEFAULT 0,
    sender         INTEGER NOT NULL,
    sender_name    TEXT    NOT NULL,
    recipient      INTEGER NOT NULL,
    recipient_name TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    sent_at_ms     INTEGER NOT NULL,
    body           TEXT
) STRICT;
INSERT INTO webhook VALUES(4,'https://app.example/hooks',1728000007000,2,0,2,'bob',1,'ada',2,1728000005000,'zwölf');
INSERT INTO webhook VALUES(5,'https://app.example/hooks',1728000005000,36,1,3,'eve',1,'ada',3,1728000005000,NULL);
CREATE INDEX webhook_body_from ON webhook (sender) WHERE body IS NOT NULL;
CREATE INDEX webhook_body_to ON webhook (recipient) WHERE body IS NOT NULL;
CREATE INDEX webhook_due ON webhook (target, due_at_ms, number) WHERE failed = 0;
CREATE INDEX webhook_failed ON webhook (sent_at_ms) WHERE failed = 1;
DELETE FROM main.sqlite_sequence WHERE name='account';
INSERT INTO main.sqlite_sequence VALUES ('account', 3);
DELETE FROM main.sqlite_sequence WHERE name='webhook';
INSERT INTO main.sqlite_sequence VALUES ('webhook', 5);
COMMIT;
