-- +goose Up
-- What a large fold, or a ledger that is built anew, is cut into in PostgreSQL, so that several daemons do it (decisions/0150).
CREATE TABLE ledger_job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scorer TEXT NOT NULL, -- who does it scores like this
    as_of INTEGER NOT NULL, -- date, in days since 1970
    first_part INTEGER NOT NULL, -- of the clusters
    last_part INTEGER NOT NULL,
    activities INTEGER NOT NULL, -- that are to be folded
    arrivals TEXT NOT NULL, -- ids as a JSON array; '' = all that is stored of these parts is scored anew
    done INTEGER NOT NULL DEFAULT 0, -- 1 = it is, and came to
    arrived INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    entries INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE ledger_sum (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL); -- of those that score anew
-- The part of an arrival's last activity: one with a single part may be folded beside those of other parts.
ALTER TABLE arrival ADD COLUMN last_part INTEGER NOT NULL DEFAULT 15; -- what had arrived before may hold anything
