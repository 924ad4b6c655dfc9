-- The group of a unit, such as the host it asks: each has a limit, a rate and a bound on failures of its own. None without groups.
ALTER TABLE units ADD COLUMN grp TEXT;
-- The number of the unit, which is the row's, follows in every index. The state is not in it: a unit that starts or ends leaves it as
-- it is, and whoever reads a group begins behind what was read of it.
CREATE INDEX units_grouped ON units (job_id, grp) WHERE grp IS NOT NULL;

-- The groups of jobs that have some; a job without has no row here.
CREATE TABLE unit_groups (
    job_id          INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name            TEXT NOT NULL CHECK (name <> ''),
    -- Its own limit in place of the one that the job has for each of its groups.
    most            INTEGER CHECK (most >= 1),
    -- No unit of it up to that number waits for its first attempt.
    read_through    INTEGER NOT NULL CHECK (read_through >= 0),
    -- Units that have failed since the latest start of the job, counted where that is bounded, and why no more of them start then.
    failures        INTEGER NOT NULL CHECK (failures >= 0),
    stopped         TEXT,
    -- None of its units starts before that time, and why.
    hold_until      INTEGER,
    hold_reason     TEXT,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

-- Almost always empty: those whose units do not start, without a look at the others.
CREATE INDEX unit_groups_held ON unit_groups (job_id) WHERE stopped IS NOT NULL OR hold_until IS NOT NULL;
