-- +goose Up
-- Jobs that the CRM may hold: the changes of a job that was sent are those of its plan's writing in state sending.
CREATE TABLE plan_job (
    run TEXT NOT NULL,
    writing TEXT NOT NULL,
    job TEXT NOT NULL, -- its id in the CRM; '' until it is known
    opened_us INTEGER NOT NULL, -- by the CRM's clock
    state TEXT NOT NULL, -- opening, sent, answered
    PRIMARY KEY (run, writing, job)
);
CREATE INDEX plan_change_record ON plan_change (run, writing, id);
