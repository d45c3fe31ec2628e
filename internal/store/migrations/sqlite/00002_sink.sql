-- +goose Up
CREATE TABLE plan (
    run TEXT PRIMARY KEY,
    hash TEXT NOT NULL, -- '' while it is being computed
    state TEXT NOT NULL, -- computing, open, applying, done, superseded
    created_us INTEGER NOT NULL,
    generation INTEGER NOT NULL, -- of the ledger when the plan began
    summary TEXT NOT NULL -- JSON
);
CREATE INDEX plan_hash ON plan (hash);
-- A plan's changes, and the journal of what became of them.
CREATE TABLE plan_change (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    writing TEXT NOT NULL, -- "crm.Account"
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL, -- JSON: list of field, old, new
    state TEXT NOT NULL, -- planned, sending, written, rejected, deferred, edited, dropped
    error TEXT NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE INDEX plan_change_sending ON plan_change (run, seq) WHERE state = 'sending';
-- What the CRM last accepted from us.
CREATE TABLE written (
    writing TEXT NOT NULL,
    id TEXT NOT NULL,
    fields TEXT NOT NULL, -- JSON: field -> value
    PRIMARY KEY (writing, id)
);
