DROP TABLE spends, meters;
UPDATE settings SET value = '9' WHERE key = 'job-manager:schema';
