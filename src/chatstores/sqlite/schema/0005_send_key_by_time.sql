-- The first result under each idempotency key of a send. A key is a UUIDv7, which begins
-- with its time: the keys of one commit are next to each other, whoever they are of, and
-- what is forgotten is one range, at the front.
-- `ahead` marks keys that were 10 s or more ahead of `sent_at_ms`. Only of these a pair's
-- highest has to be found, since all others are below any that is made later.
CREATE TABLE send_key_by_time (
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
INSERT INTO send_key_by_time
    SELECT key, sender, recipient, body_digest, recipient_id, position, sent_at_ms,
        key > unhex(printf('%012x', sent_at_ms + 10000))
    FROM send_key ORDER BY key, sender, recipient;
DROP TABLE send_key;
ALTER TABLE send_key_by_time RENAME TO send_key;
CREATE INDEX send_key_ahead ON send_key (sender, recipient, key) WHERE ahead = 1;
