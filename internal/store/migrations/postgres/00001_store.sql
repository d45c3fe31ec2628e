-- +goose Up
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Packed tables: docs/decisions/0002-packed-store.md
CREATE TABLE arrival (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run TEXT NOT NULL, source TEXT NOT NULL, activities BIGINT NOT NULL, data BYTEA NOT NULL);
CREATE TABLE key_block (first BIGINT PRIMARY KEY, data BYTEA NOT NULL);
CREATE TABLE activity_block (first BIGINT PRIMARY KEY, data BYTEA NOT NULL);
CREATE TABLE ledger_block (first BIGINT PRIMARY KEY, dirty BIGINT NOT NULL, due BIGINT NOT NULL, data BYTEA NOT NULL);
CREATE INDEX ledger_block_due ON ledger_block (due);
CREATE INDEX ledger_block_dirty ON ledger_block (first) WHERE dirty > 0;

-- Times are microseconds since 1970, UTC.
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    mapping TEXT NOT NULL DEFAULT '', -- fingerprint of the mapping that reads it
    revision BIGINT NOT NULL DEFAULT 0, -- of that mapping
    settled BIGINT NOT NULL DEFAULT 0 -- revision up to which older activities were withdrawn
);
CREATE TABLE interval (source TEXT NOT NULL, from_us BIGINT NOT NULL, to_us BIGINT NOT NULL, PRIMARY KEY (source, from_us));
CREATE TABLE entity (
    kind BIGINT NOT NULL, -- 0 account, 1 contact, 2 deal, 3 rep
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    title TEXT NOT NULL,
    owner TEXT NOT NULL,
    keys TEXT NOT NULL, -- JSON object
    deleted BIGINT NOT NULL,
    change BIGINT NOT NULL, -- number of the batch that wrote the row last; the directory refreshes by it
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
    attempts BIGINT NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    ended_us BIGINT, -- NULL while it runs
    state TEXT NOT NULL, -- '' while it runs, ok, partial, parked, failed
    message TEXT NOT NULL
);
CREATE INDEX run_started ON run (started_us);
CREATE TABLE run_source (
    run TEXT NOT NULL,
    source TEXT NOT NULL,
    read BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    PRIMARY KEY (run, source)
);
