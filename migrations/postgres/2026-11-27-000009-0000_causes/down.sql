-- What the older list of causes lacks becomes the nearest that it has.
ALTER TABLE attempts DROP CONSTRAINT attempts_cause_check;
UPDATE attempts SET cause = CASE cause WHEN 'idle' THEN 'timed_out' ELSE 'failed' END WHERE cause IN ('idle', 'rejected');
ALTER TABLE attempts ADD CONSTRAINT attempts_cause_check
    CHECK (cause IN ('failed', 'killed', 'timed_out', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention'));

UPDATE settings SET value = '8' WHERE key = 'job-manager:schema';
