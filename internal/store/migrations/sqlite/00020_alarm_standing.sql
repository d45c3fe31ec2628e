-- +goose Up
-- Nearly all alarms stand at first: those of some entities are found by these, not among all that stand.
DROP INDEX alarm_over;
CREATE INDEX alarm_standing ON alarm (over, entity, id);
