-- +goose Up
-- What each source gave by windows of change times, and when it was held against its own count (decisions/0110).
CREATE TABLE counted (
    source TEXT NOT NULL,
    from_us BIGINT NOT NULL, -- microseconds since 1970, UTC; 0 = all before
    to_us BIGINT NOT NULL, -- not in the window
    records INTEGER NOT NULL, -- that the source counted when all of them had been read
    at_us BIGINT NOT NULL, -- of the last look that found them; 0 = not yet
    PRIMARY KEY (source, to_us)
);
