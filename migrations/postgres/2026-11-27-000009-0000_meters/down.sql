DROP TABLE spends, meters;
UPDATE settings SET value = '8' WHERE key = 'job-manager:schema';
