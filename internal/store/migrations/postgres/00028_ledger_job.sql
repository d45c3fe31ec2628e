-- +goose Up
-- What a large fold, or a ledger that is built anew, is cut into, so that several daemons do it (decisions/0150).
CREATE TABLE ledger_job (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scorer TEXT NOT NULL, -- who does it scores like this
    as_of BIGINT NOT NULL, -- date, in days since 1970
    first_part BIGINT NOT NULL, -- of the clusters
    last_part BIGINT NOT NULL,
    activities BIGINT NOT NULL, -- that are to be folded
    arrivals TEXT NOT NULL, -- ids as a JSON array; '' = all that is stored of these parts is scored anew
    done BIGINT NOT NULL DEFAULT 0, -- 1 = it is, and came to
    arrived BIGINT NOT NULL DEFAULT 0,
    stored BIGINT NOT NULL DEFAULT 0,
    unchanged BIGINT NOT NULL DEFAULT 0,
    entries BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE ledger_sum (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data BYTEA NOT NULL); -- of those that score anew
-- The part of an arrival's last activity: one with a single part may be folded beside those of other parts.
ALTER TABLE arrival ADD COLUMN last_part BIGINT NOT NULL DEFAULT 15; -- what had arrived before may hold anything
