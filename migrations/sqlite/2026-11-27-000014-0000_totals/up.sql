-- What has happened in this database, whatever became of the jobs: numbers that only grow, for monitoring. Units that have ended are
-- counted by their jobs, and here once they are deleted with their job or have left that state.
CREATE TABLE totals (
    name            TEXT NOT NULL,
    -- Always 0 in a file, which has one writer at a time.
    shard           INTEGER NOT NULL,
    value           INTEGER NOT NULL,
    PRIMARY KEY (name, shard)
) STRICT, WITHOUT ROWID;

-- As far as the jobs that are there tell.
INSERT INTO totals (name, shard, value) SELECT 'attempts:' || cause, 0, count(*) FROM attempts GROUP BY cause;
INSERT INTO totals (name, shard, value) SELECT 'attempts:completed', 0, coalesce(sum(completed), 0) FROM jobs WHERE status <> 'partial';
INSERT INTO totals (name, shard, value) SELECT 'manager_deaths', 0, count(*) FROM managers WHERE state = 'lost';
