DROP TABLE unit_groups;
DROP INDEX units_grouped;
ALTER TABLE units DROP COLUMN grp;
UPDATE settings SET value = '10' WHERE key = 'job-manager:schema';
