-- Which of the workers of its manager an attempt ran in, from 1: written with its start, in the same statement, and kept with the attempts that did
-- not complete. None of attempts before.
-- SQLite looks at the checks of each row when a column comes. What cannot be read stays as it is, and is named by whoever reads it, as before.
PRAGMA ignore_check_constraints = ON;
ALTER TABLE units ADD COLUMN slot INTEGER;
ALTER TABLE attempts ADD COLUMN slot INTEGER;
PRAGMA ignore_check_constraints = OFF;
