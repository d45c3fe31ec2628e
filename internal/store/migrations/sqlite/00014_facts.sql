-- +goose Up
-- What the directory says of its entries for reports (decisions/0097): a JSON object, or null.
ALTER TABLE entity ADD COLUMN facts TEXT NOT NULL DEFAULT 'null';
