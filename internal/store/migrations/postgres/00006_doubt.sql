-- +goose Up
ALTER TABLE cursor ADD COLUMN doubted BIGINT NOT NULL DEFAULT 0; -- latest revision whose complete reading found so few that it is no proof
