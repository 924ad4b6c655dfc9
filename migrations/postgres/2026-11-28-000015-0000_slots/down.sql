ALTER TABLE attempts DROP COLUMN slot;
ALTER TABLE units DROP COLUMN slot;
UPDATE settings SET value = '14' WHERE key = 'job-manager:schema';
