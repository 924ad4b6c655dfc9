-- What the older list of causes lacks becomes the nearest that it has.
CREATE TABLE attempts_of_fewer_causes (
    id              INTEGER NOT NULL PRIMARY KEY,
    unit_id         INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    attempt         INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('failed', 'killed', 'timed_out', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention')),
    exit_code       INTEGER,
    signal          INTEGER,
    error           TEXT NOT NULL,
    stdout          TEXT,
    stderr          TEXT
) STRICT;

-- What cannot be read stays as it is, and is named by whoever reads it, as before.
PRAGMA ignore_check_constraints = ON;
INSERT INTO attempts_of_fewer_causes (id, unit_id, attempt, epoch, started_at, ended_at, cause, exit_code, signal, error, stdout, stderr)
    SELECT id, unit_id, attempt, epoch, started_at, ended_at,
        CASE cause WHEN 'idle' THEN 'timed_out' WHEN 'rejected' THEN 'failed' ELSE cause END, exit_code, signal, error, stdout, stderr
    FROM attempts;
PRAGMA ignore_check_constraints = OFF;
DROP TABLE attempts;
ALTER TABLE attempts_of_fewer_causes RENAME TO attempts;

CREATE INDEX attempts_unit ON attempts (unit_id);
