-- +goose Up
-- Who had something done to the CRM or to what is kept, and when (decisions/0106, 0107).
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    who TEXT NOT NULL, -- the operating system's user
    act TEXT NOT NULL, -- apply, undo, retry, drop
    run TEXT NOT NULL, -- that did it; '' = none
    subject TEXT NOT NULL, -- the run whose plan was sent or taken back, or the reject
    reason TEXT NOT NULL
);
CREATE INDEX journal_run ON journal (run);
ALTER TABLE plan ADD COLUMN undoes TEXT NOT NULL DEFAULT ''; -- the run that it takes back; '' = none
ALTER TABLE written ADD COLUMN undone TEXT NOT NULL DEFAULT ''; -- JSON: what an undo took out; '' = nothing
CREATE INDEX written_undone ON written (writing, id) WHERE undone <> '';
