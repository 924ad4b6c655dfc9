-- Who ran a job when, on which host, and how that ended. Until now a manager wrote texts into `metadata`, where the next one
-- overwrote them; a number that was none was found by whoever read it. Now each manager has a row, and its columns say what
-- they hold. What is text for people, and what concerns the job more than its manager, stays in `metadata`.
CREATE TABLE managers (
    job_id          INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- The epoch of its lease.
    number          INTEGER NOT NULL CHECK (number > 0),
    -- Names it in every database, whatever numbers are given out there.
    uid             TEXT NOT NULL UNIQUE,
    -- `live` until it says that it leaves; `lost` where its successor found that it never did; `refused` where it could not
    -- go on with the job. Whether a `live` one lives is seen from its lock.
    state           TEXT NOT NULL CHECK (state IN ('live', 'left', 'lost', 'refused')),
    reason          TEXT,
    host            TEXT NOT NULL CHECK (host <> ''),
    boot_id         TEXT NOT NULL CHECK (boot_id LIKE '________-____-____-____-____________'
                        AND length(replace(boot_id, '-', '')) = 32 AND replace(boot_id, '-', '') NOT GLOB '*[^0-9a-fA-F]*'),
    pid             INTEGER NOT NULL CHECK (pid BETWEEN 1 AND 2147483647),
    start_ticks     INTEGER NOT NULL CHECK (start_ticks >= 0),
    -- The PID and time namespaces in which number and ticks were told.
    namespaces      TEXT,
    -- Device, inode and path of the file that it opened; tells a copy.
    database        TEXT,
    version         TEXT NOT NULL,
    program         TEXT,
    -- What the heartbeat says: units that may run and do run at a time, and that end per second.
    workers         INTEGER CHECK (workers >= 0),
    running         INTEGER CHECK (running >= 0),
    rate            REAL,
    heartbeat_at    INTEGER NOT NULL,
    -- Of one that began before there was this table it is not always known.
    started_at      INTEGER,
    -- Of one that was lost the time of its last heartbeat.
    ended_at        INTEGER,
    PRIMARY KEY (job_id, number),
    CHECK ((ended_at IS NULL) = (state = 'live'))
) STRICT, WITHOUT ROWID;

-- What cannot be read stays where it was: its job is refused by the name of that part, as before. No manager runs while this
-- happens, so that none beats meanwhile; nobody asks for the rate of one that is gone.
WITH said AS (
    SELECT job_id,
        max(value) FILTER (WHERE key = 'manager_pid') AS pid,
        max(value) FILTER (WHERE key = 'manager_start_ticks') AS start_ticks,
        max(value) FILTER (WHERE key = 'boot_id') AS boot_id,
        max(value) FILTER (WHERE key = 'host') AS host,
        max(value) FILTER (WHERE key = 'namespaces') AS namespaces,
        max(value) FILTER (WHERE key = 'database') AS opened,
        max(value) FILTER (WHERE key = 'version') AS version,
        max(value) FILTER (WHERE key = 'program') AS program,
        max(value) FILTER (WHERE key = 'heartbeat_at') AS heartbeat_at
    FROM metadata GROUP BY job_id
)
INSERT INTO managers (job_id, number, uid, state, host, boot_id, pid, start_ticks, namespaces, database, version, program,
    heartbeat_at, started_at, ended_at)
SELECT jobs.id, max(jobs.epoch, 1), lower(hex(randomblob(16))), iif(jobs.status = 'running', 'live', 'left'),
    host, boot_id, CAST(pid AS INTEGER), CAST(start_ticks AS INTEGER), namespaces, opened, coalesce(version, ''), program,
    CAST(heartbeat_at AS INTEGER), iif(jobs.epoch = 1, jobs.started_at, NULL),
    iif(jobs.status = 'running', NULL, CAST(heartbeat_at AS INTEGER))
FROM said JOIN jobs ON jobs.id = said.job_id
WHERE pid GLOB '[1-9]*' AND pid NOT GLOB '*[^0-9]*' AND length(pid) <= 10 AND CAST(pid AS INTEGER) <= 2147483647
    AND start_ticks GLOB '[0-9]*' AND start_ticks NOT GLOB '*[^0-9]*' AND length(start_ticks) <= 18
    AND boot_id LIKE '________-____-____-____-____________' AND length(replace(boot_id, '-', '')) = 32
    AND replace(boot_id, '-', '') NOT GLOB '*[^0-9a-fA-F]*'
    AND host <> ''
    AND heartbeat_at GLOB '[0-9]*' AND heartbeat_at NOT GLOB '*[^0-9]*' AND length(heartbeat_at) <= 18;
DELETE FROM metadata
WHERE key IN ('manager_pid', 'manager_start_ticks', 'boot_id', 'host', 'namespaces', 'database', 'version', 'program',
        'heartbeat_at', 'rate_per_second')
    AND job_id IN (SELECT job_id FROM managers);

-- What a unit is to its job, where it is not one of its items: the one that the job ends with, or one that it ended with
-- before others came after it. Until now a range of keys told.
ALTER TABLE units ADD COLUMN kind TEXT CHECK (kind IS NULL OR kind = 'finalizer' OR kind = 'retired');
UPDATE units SET kind = iif(key = 'job-manager:then', 'finalizer', 'retired')
WHERE id IN (SELECT units.id FROM jobs CROSS JOIN units INDEXED BY units_key ON units.job_id = jobs.id
    AND units.key >= 'job-manager:then' AND units.key <= 'job-manager:then:~');
-- One index for all units that are no plain items: each index costs something for every unit, also where it does not enter it.
DROP INDEX units_outdated;
CREATE INDEX units_marked ON units (id) WHERE outdated IS NOT NULL OR kind IS NOT NULL;
