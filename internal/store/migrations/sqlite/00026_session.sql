-- +goose Up
-- Who has signed on to the dashboard (decisions/0123).
CREATE TABLE session (
    token TEXT PRIMARY KEY, -- a hash of what the browser holds
    data BLOB NOT NULL,
    until_us INTEGER NOT NULL -- microseconds since 1970, UTC
);
