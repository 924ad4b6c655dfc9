DROP TABLE totals;
UPDATE settings SET value = '13' WHERE key = 'job-manager:schema';
