-- The kind of each failure, worked out once when its unit fails: a listing counts kinds, and a filter by kind looks them up.
-- A column of `units` would make every row longer and be looked at by every insertion; only units that failed have a row
-- here. One that was sent back keeps its row until it fails again: whoever reads a kind asks for the unit's state as well.
-- SQL cannot tell the kinds of units that had failed before; the program adds them in the transaction of this migration.
CREATE TABLE failure_kinds (
    unit_id         INTEGER NOT NULL PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    -- Hash of how the last attempt ended and of what its error has in common with others; the same in every job.
    kind            INTEGER NOT NULL
) STRICT;

CREATE INDEX failure_kinds_kind ON failure_kinds (kind);
