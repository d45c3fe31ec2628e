-- +goose Up
-- Who runs what, and what people handed to the daemon (decisions/0136, 0137).
ALTER TABLE run ADD COLUMN by_whom TEXT NOT NULL DEFAULT ''; -- the machine and process
ALTER TABLE run ADD COLUMN lanes TEXT NOT NULL DEFAULT ''; -- one a line; '' = all
CREATE INDEX run_unended ON run (started_us) WHERE ended_us IS NULL;

CREATE TABLE errand (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL, -- sync, pull, apply, undo
    subject TEXT NOT NULL, -- the source, the plan's hash, the run; '' of a sync
    record TEXT NOT NULL, -- of an undo; '' = all
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    asked_us BIGINT NOT NULL, -- microseconds since 1970, UTC
    run TEXT NOT NULL, -- '' until one began for it
    ended_us BIGINT, -- NULL until it was done
    state TEXT NOT NULL, -- as of a run
    message TEXT NOT NULL
);
CREATE UNIQUE INDEX errand_open ON errand (kind, subject, record) WHERE ended_us IS NULL;
