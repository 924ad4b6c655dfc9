DROP TABLE flags;
UPDATE settings SET value = '12' WHERE key = 'job-manager:schema';
