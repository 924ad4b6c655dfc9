-- What the older list of causes lacks becomes the nearest that it has.
ALTER TABLE attempts DROP CONSTRAINT attempts_cause_check;
UPDATE attempts SET cause = CASE cause WHEN 'idle' THEN 'timed_out' ELSE 'failed' END WHERE cause IN ('idle', 'rejected');
ALTER TABLE attempts ADD CONSTRAINT attempts_cause_check
    CHECK (cause IN ('failed', 'killed', 'timed_out', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention'));

-- Nobody records meanwhile: what managers have moved is added to the rows of their jobs before it is forgotten.
UPDATE jobs SET pending = job_counters.pending, running = job_counters.running, completed = job_counters.completed,
       failed = job_counters.failed, skipped = job_counters.skipped, cancelled = job_counters.cancelled,
       failures = job_counters.failures
  FROM job_counters WHERE job_counters.job_id = jobs.id;
DROP VIEW job_counters;
ALTER TABLE managers
    DROP COLUMN pending_shift,
    DROP COLUMN running_shift,
    DROP COLUMN completed_shift,
    DROP COLUMN failed_shift,
    DROP COLUMN skipped_shift,
    DROP COLUMN cancelled_shift,
    DROP COLUMN failures_shift;

UPDATE settings SET value = '8' WHERE key = 'job-manager:schema';
