-- +goose Up
-- What people were told of by logs, web hooks and mails (decisions/0131).
CREATE TABLE alert (
    what TEXT PRIMARY KEY, -- "sync", "source tasks"
    state TEXT NOT NULL, -- failed, partial …; what is as it should be is ok
    since_us INTEGER NOT NULL, -- microseconds since 1970, UTC
    because TEXT NOT NULL,
    what_to_do TEXT NOT NULL
);
CREATE TABLE alert_told (
    channel TEXT NOT NULL, -- of the configuration
    what TEXT NOT NULL,
    state TEXT NOT NULL, -- that was told of last; ok until then
    attempts INTEGER NOT NULL, -- since then
    next_us INTEGER NOT NULL, -- not tried again before
    PRIMARY KEY (channel, what)
);
CREATE TABLE digest (
    channel TEXT NOT NULL,
    reader TEXT NOT NULL, -- a sales person's CRM id; '' = all who read the channel
    day INTEGER NOT NULL, -- of the last one that was tried, days since 1970
    state TEXT NOT NULL, -- sending, sent, waits
    attempts INTEGER NOT NULL, -- on that day
    next_us INTEGER NOT NULL,
    told TEXT NOT NULL, -- hashes of the alarms that the reader knows of and that may still stand
    PRIMARY KEY (channel, reader)
);
