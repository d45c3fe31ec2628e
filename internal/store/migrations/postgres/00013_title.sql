-- +goose Up
-- What titles and accounts contacts had, and since when: what the CRM said whenever it changed, and the titles that
-- dated reports name (decisions/0077).
CREATE TABLE title (
    contact TEXT NOT NULL,
    since_us BIGINT NOT NULL, -- microseconds since 1970, UTC
    told TEXT NOT NULL, -- 'crm' or 'reports'
    title TEXT NOT NULL,
    account TEXT NOT NULL, -- '' in reports
    PRIMARY KEY (contact, since_us, told)
);
INSERT INTO title (contact, since_us, told, title, account)
    SELECT id, version, 'crm', title, account FROM entity WHERE kind = 1 AND deleted = 0;
-- How good a source's records are, each night (decisions/0078).
CREATE TABLE quality (
    source TEXT NOT NULL,
    run TEXT NOT NULL,
    data TEXT NOT NULL, -- JSON object
    PRIMARY KEY (source, run)
);
