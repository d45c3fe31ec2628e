-- +goose Up
-- People who must not come back (decisions/0058): salted hashes of their ids, addresses and codes, and nothing else of them.
CREATE TABLE erased (
    hash TEXT PRIMARY KEY,
    run TEXT NOT NULL -- that erased the person
);
