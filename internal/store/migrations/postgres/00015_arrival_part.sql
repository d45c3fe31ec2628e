-- +goose Up
-- Large batches arrive in parts by cluster, and with their keys (decisions/0080). keys is NULL where an earlier
-- version saved the row.
ALTER TABLE arrival ADD COLUMN part BIGINT NOT NULL DEFAULT 0, ADD COLUMN keys BYTEA;
ALTER TABLE arrival ALTER COLUMN part DROP DEFAULT;
