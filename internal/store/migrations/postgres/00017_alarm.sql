-- +goose Up
-- What was found worth a sales person's attention, and what became of it (decisions/0095). Days are days since 1970.
CREATE TABLE alarm (
    entity INTEGER NOT NULL, -- kind
    id TEXT NOT NULL,
    alarm TEXT NOT NULL, -- 'surge', 'cooling', 'silence' …
    day INTEGER NOT NULL, -- on which it fired
    told INTEGER NOT NULL, -- on which it was decided
    over INTEGER NOT NULL, -- on which it was found to be over; 2147483647 = it stands
    rep TEXT NOT NULL, -- whom it is for; '' = nobody
    p DOUBLE PRECISION NOT NULL, -- how often chance alone gives as much
    state TEXT NOT NULL, -- 'fired', 'muted' or 'held_back'
    reason TEXT NOT NULL, -- why it is muted
    evidence TEXT NOT NULL, -- JSON object
    PRIMARY KEY (entity, id, alarm, day)
);
CREATE INDEX alarm_over ON alarm (over);
CREATE INDEX alarm_told ON alarm (told);
