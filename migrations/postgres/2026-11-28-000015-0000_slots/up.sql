-- As in SQLite's migration of that name, where the reasons stand.
ALTER TABLE units ADD COLUMN slot bigint;
ALTER TABLE attempts ADD COLUMN slot bigint;

UPDATE settings SET value = '15' WHERE key = 'job-manager:schema';
