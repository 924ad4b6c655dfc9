ALTER TABLE attempts DROP COLUMN peak_is_bound;
ALTER TABLE attempts DROP COLUMN peak_bytes;
ALTER TABLE attempts DROP COLUMN cpu_us;
