-- Codes that allow an account, by their SHA-256. A row goes with its last use, or some
-- time after its end.
CREATE TABLE invitation (
    code          BLOB    PRIMARY KEY,
    uses          INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
