-- What commits have brought in and is not in `message`, `send_key` and `mailbox` yet: a row a
-- commit, in their order. It is applied to them, and gone, before anything else is read or
-- written there. MessagePack: [deposits, acknowledgements], see `journal.py`.
CREATE TABLE journal (
    number  INTEGER PRIMARY KEY,
    entries BLOB    NOT NULL
) STRICT;
