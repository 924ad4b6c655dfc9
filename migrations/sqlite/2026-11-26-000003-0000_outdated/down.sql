DROP INDEX units_outdated;
ALTER TABLE units DROP COLUMN outdated;
