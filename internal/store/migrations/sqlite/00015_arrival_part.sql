-- +goose Up
-- Large batches arrive in parts by cluster, and with their keys (decisions/0080). keys is NULL where an earlier
-- version saved the row. It is a new table so that what is small comes before data, and is read without it.
CREATE TABLE arrival_part (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, source TEXT NOT NULL, part INTEGER NOT NULL, activities INTEGER NOT NULL, keys BLOB, data BLOB NOT NULL);
INSERT INTO arrival_part (id, run, source, part, activities, data) SELECT id, run, source, 0, activities, data FROM arrival;
DROP TABLE arrival;
ALTER TABLE arrival_part RENAME TO arrival;
