-- +goose Up
-- Sums of sales people, as they were when a month was frozen (decisions/0116). Periods count months, as engine.Period.
CREATE TABLE frozen_sum (
    rep TEXT NOT NULL,
    period INTEGER NOT NULL,
    data TEXT NOT NULL, -- JSON object
    PRIMARY KEY (rep, period)
);
-- Who froze months up to which, once and for all.
CREATE TABLE frozen_month (
    period INTEGER NOT NULL PRIMARY KEY,
    at_us INTEGER NOT NULL, -- microseconds since 1970, UTC
    who TEXT NOT NULL
);
-- Who looked at figures of single sales people.
CREATE TABLE looked (
    at_us INTEGER NOT NULL, -- microseconds since 1970, UTC
    who TEXT NOT NULL,
    report TEXT NOT NULL
);
