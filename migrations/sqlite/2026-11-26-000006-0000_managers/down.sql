DROP INDEX units_marked;
CREATE INDEX units_outdated ON units (id) WHERE outdated IS NOT NULL;
ALTER TABLE units DROP COLUMN kind;
WITH latest AS (
    SELECT * FROM managers WHERE number = (SELECT max(number) FROM managers AS any WHERE any.job_id = managers.job_id)
)
INSERT OR REPLACE INTO metadata (job_id, key, value)
SELECT job_id, 'manager_pid', CAST(pid AS TEXT) FROM latest
UNION ALL SELECT job_id, 'manager_start_ticks', CAST(start_ticks AS TEXT) FROM latest
UNION ALL SELECT job_id, 'boot_id', boot_id FROM latest
UNION ALL SELECT job_id, 'host', host FROM latest
UNION ALL SELECT job_id, 'namespaces', namespaces FROM latest WHERE namespaces IS NOT NULL
UNION ALL SELECT job_id, 'database', database FROM latest WHERE database IS NOT NULL
UNION ALL SELECT job_id, 'version', version FROM latest
UNION ALL SELECT job_id, 'program', program FROM latest WHERE program IS NOT NULL
UNION ALL SELECT job_id, 'heartbeat_at', CAST(heartbeat_at AS TEXT) FROM latest
UNION ALL SELECT job_id, 'rate_per_second', CAST(rate AS TEXT) FROM latest WHERE rate IS NOT NULL;
DROP TABLE managers;
