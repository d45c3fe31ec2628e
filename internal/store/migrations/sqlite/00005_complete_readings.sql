-- +goose Up
-- Complete readings (decisions/0006): a source's revision counts them.
ALTER TABLE cursor ADD COLUMN began_us INTEGER NOT NULL DEFAULT 0; -- when the reading of this revision began
ALTER TABLE cursor ADD COLUMN finished INTEGER NOT NULL DEFAULT 0; -- revision up to which the source was read to its end
ALTER TABLE entity ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- of the source, when it was read last
-- The entity of the same kind that this one was merged into, or converted to; '' = none.
ALTER TABLE entity ADD COLUMN into_id TEXT NOT NULL DEFAULT '';
CREATE INDEX entity_into ON entity (change) WHERE into_id <> '';
-- Rejects that may come through later as they are (decisions/0007).
ALTER TABLE reject ADD COLUMN waits INTEGER NOT NULL DEFAULT 0; -- 1 = for the directory; fields hold the whole record then
ALTER TABLE reject ADD COLUMN changed_us INTEGER; -- the record's change time; NULL when the source told none
ALTER TABLE reject ADD COLUMN seen_us INTEGER NOT NULL DEFAULT 0; -- when it was read
ALTER TABLE reject ADD COLUMN tried INTEGER NOT NULL DEFAULT 0; -- change of the directory at the last try
ALTER TABLE reject ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- of the source, when it was read
