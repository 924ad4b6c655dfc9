-- Paths that units make, so that no two units of a job make the same one, and so that what an attempt leaves behind is removed
-- only where no other unit could have made it. Only units of jobs that make paths have a row.
CREATE TABLE made_paths (
    unit_id         INTEGER NOT NULL PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    -- Finds candidates, whose paths are then compared.
    path_hash       INTEGER NOT NULL
) STRICT;

CREATE INDEX made_paths_hash ON made_paths (path_hash);
