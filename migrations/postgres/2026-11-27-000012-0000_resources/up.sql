-- As in SQLite's migration of that name, where the reasons stand.
ALTER TABLE attempts ADD COLUMN cpu_us bigint CHECK (cpu_us >= 0),
    ADD COLUMN peak_bytes bigint CHECK (peak_bytes >= 0),
    ADD COLUMN peak_is_bound bigint CHECK (peak_is_bound IN (0, 1));

UPDATE settings SET value = '12' WHERE key = 'job-manager:schema';
