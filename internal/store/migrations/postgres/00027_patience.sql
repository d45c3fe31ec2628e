-- +goose Up
-- How long a person wants to hear nothing of a reject, and how often and when the CRM was asked (decisions/0132).
ALTER TABLE reject ADD COLUMN until_us BIGINT NOT NULL DEFAULT 0; -- with dropped: told again from then on; 0 = not by the time
ALTER TABLE plan_change ADD COLUMN until_us BIGINT NOT NULL DEFAULT 0; -- with said: the same
ALTER TABLE plan_change ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0; -- refused, one after the other
ALTER TABLE plan_change ADD COLUMN tried_us BIGINT NOT NULL DEFAULT 0; -- the last of them
