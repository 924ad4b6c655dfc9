-- Two more ways in which an attempt can come to nothing.
ALTER TABLE attempts DROP CONSTRAINT attempts_cause_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_cause_check
    CHECK (cause IN ('failed', 'killed', 'timed_out', 'idle', 'rejected', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention'));

-- By how much a manager's units have moved the counters of the job since somebody last had that to himself, who adds them to the
-- job's row: managers record at the same time, each in its own row. The counters of a job are those of its row and these together,
-- as `job_counters` shows them.
ALTER TABLE managers
    ADD COLUMN pending_shift   bigint NOT NULL DEFAULT 0,
    ADD COLUMN running_shift   bigint NOT NULL DEFAULT 0,
    ADD COLUMN completed_shift bigint NOT NULL DEFAULT 0,
    ADD COLUMN failed_shift    bigint NOT NULL DEFAULT 0,
    ADD COLUMN skipped_shift   bigint NOT NULL DEFAULT 0,
    ADD COLUMN cancelled_shift bigint NOT NULL DEFAULT 0,
    ADD COLUMN failures_shift  bigint NOT NULL DEFAULT 0;

CREATE VIEW job_counters AS
SELECT id AS job_id, total, jobs.pending + moved.pending AS pending, jobs.running + moved.running AS running,
       jobs.completed + moved.completed AS completed, jobs.failed + moved.failed AS failed,
       jobs.skipped + moved.skipped AS skipped, jobs.cancelled + moved.cancelled AS cancelled,
       jobs.failures + moved.failures AS failures
  FROM jobs CROSS JOIN LATERAL (
       SELECT coalesce(sum(pending_shift), 0)::bigint AS pending, coalesce(sum(running_shift), 0)::bigint AS running,
              coalesce(sum(completed_shift), 0)::bigint AS completed, coalesce(sum(failed_shift), 0)::bigint AS failed,
              coalesce(sum(skipped_shift), 0)::bigint AS skipped, coalesce(sum(cancelled_shift), 0)::bigint AS cancelled,
              coalesce(sum(failures_shift), 0)::bigint AS failures
         FROM managers WHERE state = 'live' AND job_id = jobs.id) AS moved;

UPDATE settings SET value = '9' WHERE key = 'job-manager:schema';
