DROP TABLE unit_notes;
DROP TABLE attempts;
DROP TABLE metadata;
DROP TABLE units;
DROP TABLE jobs;
