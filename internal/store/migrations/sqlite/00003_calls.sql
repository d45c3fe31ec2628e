-- +goose Up
-- Calls that we made to a system whose calls are counted, by the hour: what is left of a day's budget survives a restart.
CREATE TABLE api_call (
    connection TEXT NOT NULL,
    hour_us INTEGER NOT NULL, -- its beginning
    calls INTEGER NOT NULL,
    PRIMARY KEY (connection, hour_us)
);
-- How each connection stood with its budget when it was last seen.
CREATE TABLE api_usage (
    connection TEXT PRIMARY KEY,
    seen_us INTEGER NOT NULL,
    usage TEXT NOT NULL -- JSON of connectors.Usage
);
