-- Which of the workers of its manager an attempt ran in, from 1: written with its start, in the same statement, and kept with the attempts that did
-- not complete. None of attempts before. Without a check: SQLite would look at every row for one.
ALTER TABLE units ADD COLUMN slot INTEGER;
ALTER TABLE attempts ADD COLUMN slot INTEGER;
