DROP TABLE unit_groups;
DROP INDEX units_grouped;
ALTER TABLE units DROP COLUMN grp;
