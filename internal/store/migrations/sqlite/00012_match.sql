-- +goose Up
-- What people decided of records that may mean several accounts or contacts (decisions/0075).
CREATE TABLE decision (
    key TEXT NOT NULL, -- what such records say: "株式会社青葉製作所 @aoba.example", "001xx0000012345/山田 太郎"
    id TEXT NOT NULL, -- CRM id of the account or contact
    negative INTEGER NOT NULL, -- 1 = it is not this one
    at_us INTEGER NOT NULL,
    PRIMARY KEY (key, id)
);
-- What waits for a decision, with how many records say it.
CREATE TABLE asked (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    written TEXT NOT NULL, -- the name as a record has it
    revision INTEGER NOT NULL, -- of the source's reading
    records INTEGER NOT NULL,
    PRIMARY KEY (source, key)
);
-- Accounts whose activities a decision may move: the next pull reads the sources again that gave them.
CREATE TABLE recheck (
    account TEXT PRIMARY KEY,
    at_us INTEGER NOT NULL -- when it was decided last
);
