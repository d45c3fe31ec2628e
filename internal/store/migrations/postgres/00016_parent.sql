-- +goose Up
-- Under which accounts accounts stand, now and since when: whatever the CRM said (decisions/0085).
ALTER TABLE entity ADD COLUMN parent TEXT NOT NULL DEFAULT '';
CREATE TABLE parent (
    account TEXT NOT NULL,
    since_us BIGINT NOT NULL, -- microseconds since 1970, UTC
    parent TEXT NOT NULL, -- '' = none
    PRIMARY KEY (account, since_us)
);
-- What went into what by merges and conversions that were followed: what is taken apart again is followed back.
CREATE TABLE merged (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    into_id TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
INSERT INTO merged (kind, id, into_id) SELECT kind, id, into_id FROM entity WHERE into_id <> '';
