-- Two more ways in which an attempt can come to nothing.
ALTER TABLE attempts DROP CONSTRAINT attempts_cause_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_cause_check
    CHECK (cause IN ('failed', 'killed', 'timed_out', 'idle', 'rejected', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention'));

UPDATE settings SET value = '9' WHERE key = 'job-manager:schema';
