ALTER TABLE units DROP COLUMN revision;
