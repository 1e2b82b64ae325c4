-- Where an account was logged in to from, the last few (B4). An address is a hash of it
-- and of the account.
CREATE TABLE known_address (
    account INTEGER NOT NULL,
    address BLOB    NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
