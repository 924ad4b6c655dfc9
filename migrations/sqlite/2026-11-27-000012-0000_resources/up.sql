-- What an attempt took of the machine, where its end was seen: processor time in microseconds, and the most memory that one of
-- its processes had, in bytes. The last is only a bound where the kernel knows no better.
-- A column with a check has SQLite look at all checks of each row. What cannot be read stays as it is, and is named by whoever reads it,
-- as before.
PRAGMA ignore_check_constraints = ON;
ALTER TABLE attempts ADD COLUMN cpu_us INTEGER CHECK (cpu_us >= 0);
ALTER TABLE attempts ADD COLUMN peak_bytes INTEGER CHECK (peak_bytes >= 0);
ALTER TABLE attempts ADD COLUMN peak_is_bound INTEGER CHECK (peak_is_bound IN (0, 1));
PRAGMA ignore_check_constraints = OFF;
