-- +goose Up
-- Records that became several activities, as they were read last: so the activities that a record gives no more are found.
CREATE TABLE part (
    source TEXT NOT NULL,
    record TEXT NOT NULL, -- its key
    revision BIGINT NOT NULL, -- of the source's reading
    version BIGINT NOT NULL, -- of the record, as activities have it
    says BIGINT NOT NULL, -- a hash of what the activities say
    ids TEXT NOT NULL, -- of the activities: a JSON list
    PRIMARY KEY (source, record)
);
