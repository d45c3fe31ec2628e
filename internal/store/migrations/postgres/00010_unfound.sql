-- +goose Up
-- Who and what a source's records name and the CRM does not know, with how many records: of addresses the domain alone.
CREATE TABLE unfound (
    source TEXT NOT NULL,
    what TEXT NOT NULL, -- "contact @cust.example"
    revision BIGINT NOT NULL, -- of the source's reading
    records BIGINT NOT NULL,
    PRIMARY KEY (source, what)
);
