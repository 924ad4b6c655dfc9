-- As in SQLite's migration of that name, where the reasons stand.
ALTER TABLE units ADD COLUMN grp text COLLATE "C";
CREATE INDEX units_grouped ON units (job_id, grp, id) WHERE grp IS NOT NULL;

CREATE TABLE unit_groups (
    job_id          bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name            text COLLATE "C" NOT NULL CHECK (name <> ''),
    most            bigint CHECK (most >= 1),
    read_through    bigint NOT NULL CHECK (read_through >= 0),
    failures        bigint NOT NULL CHECK (failures >= 0),
    stopped         text,
    hold_until      bigint,
    hold_reason     text,
    PRIMARY KEY (job_id, name)
) WITH (fillfactor = 50);

CREATE INDEX unit_groups_held ON unit_groups (job_id) WHERE stopped IS NOT NULL OR hold_until IS NOT NULL;

UPDATE settings SET value = '11' WHERE key = 'job-manager:schema';
