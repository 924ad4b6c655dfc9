-- The settings of a job's handler are long, mostly its environment, never change, and are read by whoever runs the job. In the
-- row of the job they made everything else slow: a list read all of them to show a name and a state, and each commit of a
-- manager wrote them again with the counters. Now the row is short, and they have one of their own.
CREATE TABLE specs (
    job_id          INTEGER NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    spec            TEXT NOT NULL CHECK (json_valid(spec))
) STRICT;

-- What cannot be read stays as it is: its job is refused by the name of that part, as before.
PRAGMA ignore_check_constraints = ON;
INSERT INTO specs (job_id, spec) SELECT id, spec FROM jobs;
PRAGMA ignore_check_constraints = OFF;
ALTER TABLE jobs DROP COLUMN spec;

-- Few of many: what runs or can be continued is found without a look at what has ended. The condition is a column that is
-- compared for equality, so that it is chosen without statistics.
CREATE INDEX jobs_unended ON jobs (finished_at) WHERE finished_at IS NULL;
