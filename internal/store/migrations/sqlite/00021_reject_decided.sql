-- +goose Up
-- What somebody decided of rejects (decisions/0109).
ALTER TABLE reject ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0; -- 1: not counted and not told, until the record is another one
ALTER TABLE reject ADD COLUMN whole INTEGER NOT NULL DEFAULT 0; -- 1: fields hold all of the record, so that it can be mapped again
ALTER TABLE plan_change ADD COLUMN class TEXT NOT NULL DEFAULT ''; -- of what the CRM said: data, lock, quota, permission, gone, ambiguous
ALTER TABLE plan_change ADD COLUMN hint TEXT NOT NULL DEFAULT ''; -- what to do
ALTER TABLE plan_change ADD COLUMN said TEXT NOT NULL DEFAULT ''; -- retry, waived; '' = nobody has decided
