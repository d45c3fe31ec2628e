-- +goose Up
-- The deals and people of one customer, for its page: without this all of the directory is read.
CREATE INDEX entity_account ON entity (account, kind) WHERE account <> '';
