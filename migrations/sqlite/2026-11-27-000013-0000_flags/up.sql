-- Units that a person is to look at; a job whose units are never flagged has no row here. A flag counts once the attempt that it is of
-- has completed its unit: what identifies that attempt stands beside it.
CREATE TABLE flags (
    unit_id         INTEGER NOT NULL PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    attempt         INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    -- None where whoever flagged the unit knew the number of the attempt only.
    started_at      INTEGER,
    text            TEXT NOT NULL,
    decision        TEXT CHECK (decision IN ('accepted', 'redone')),
    decided_by      TEXT,
    decided_at      INTEGER,
    note            TEXT,
    CHECK ((decision IS NULL) = (decided_at IS NULL))
) STRICT;
