-- +goose Up
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Packed tables: docs/decisions/0002-packed-store.md
CREATE TABLE arrival (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, source TEXT NOT NULL, activities INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE key_block (first INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE activity_block (first INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE ledger_block (first INTEGER PRIMARY KEY, dirty INTEGER NOT NULL, due INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX ledger_block_due ON ledger_block (due);
CREATE INDEX ledger_block_dirty ON ledger_block (first) WHERE dirty > 0;

-- Times are microseconds since 1970, UTC.
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    mapping TEXT NOT NULL DEFAULT '', -- fingerprint of the mapping that reads it
    revision INTEGER NOT NULL DEFAULT 0, -- of that mapping
    settled INTEGER NOT NULL DEFAULT 0 -- revision up to which older activities were withdrawn
);
CREATE TABLE interval (source TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, PRIMARY KEY (source, from_us));
CREATE TABLE entity (
    kind INTEGER NOT NULL, -- 0 account, 1 contact, 2 deal, 3 rep
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    title TEXT NOT NULL,
    owner TEXT NOT NULL,
    keys TEXT NOT NULL, -- JSON object
    deleted INTEGER NOT NULL,
    change INTEGER NOT NULL, -- number of the batch that wrote the row last; the directory refreshes by it
    PRIMARY KEY (kind, id)
);
CREATE INDEX entity_change ON entity (change);
CREATE TABLE reject (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    origin TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    fields TEXT NOT NULL, -- JSON object, or null
    run TEXT NOT NULL, -- that saw it last
    attempts INTEGER NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    ended_us INTEGER, -- NULL while it runs
    state TEXT NOT NULL, -- '' while it runs, ok, partial, parked, failed
    message TEXT NOT NULL
);
CREATE INDEX run_started ON run (started_us);
CREATE TABLE run_source (
    run TEXT NOT NULL,
    source TEXT NOT NULL,
    read INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (run, source)
);
