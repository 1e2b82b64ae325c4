-- What other programs are to be told of messages, a row for each message and target,
-- written in the message's own commit and gone once it was sent. Those that are not tried
-- any more are kept as `failed`. `body` is null unless it is to be told, and from the
-- deletion of the recipient on. AUTOINCREMENT: a number is never used again.
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
CREATE INDEX webhook_due ON webhook (target, due_at_ms, number) WHERE failed = 0;
CREATE INDEX webhook_failed ON webhook (sent_at_ms) WHERE failed = 1;
CREATE INDEX webhook_body_to ON webhook (recipient) WHERE body IS NOT NULL;
CREATE INDEX webhook_body_from ON webhook (sender) WHERE body IS NOT NULL;
