DROP INDEX jobs_unended;
ALTER TABLE jobs ADD COLUMN spec TEXT NOT NULL DEFAULT 'null' CHECK (json_valid(spec));
PRAGMA ignore_check_constraints = ON;
UPDATE jobs SET spec = specs.spec FROM specs WHERE specs.job_id = jobs.id;
PRAGMA ignore_check_constraints = OFF;
DROP TABLE specs;
