ALTER TABLE attempts DROP COLUMN cpu_us, DROP COLUMN peak_bytes, DROP COLUMN peak_is_bound;
UPDATE settings SET value = '11' WHERE key = 'job-manager:schema';
