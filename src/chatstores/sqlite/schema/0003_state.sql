-- One row about the database as a whole. `chat` tells it, and its copies, from all
-- others. `log_sequence` and `log_digest` say how far the erasure log had come with the
-- last deletion that is in here. `wal_needed` is 1 from an opening to a clean close: this
-- file without the -wal beside it lacks what was committed since.
CREATE TABLE state (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    chat         BLOB    NOT NULL,
    log_sequence INTEGER NOT NULL DEFAULT 0,
    log_digest   BLOB    NOT NULL DEFAULT x'',
    wal_needed   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO state (one, chat) VALUES (1, randomblob(16));
