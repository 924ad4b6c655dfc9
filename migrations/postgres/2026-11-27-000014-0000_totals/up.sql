-- As in SQLite's migration of that name, where the reasons stand.
CREATE TABLE totals (
    name            text COLLATE "C" NOT NULL,
    -- Managers on many hosts add at the same moment, each to one of several rows of a name.
    shard           bigint NOT NULL,
    value           bigint NOT NULL,
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 50);

INSERT INTO totals (name, shard, value) SELECT 'attempts:' || cause, 0, count(*) FROM attempts GROUP BY cause;
INSERT INTO totals (name, shard, value)
    SELECT 'attempts:completed', 0, coalesce(sum(completed), 0)::bigint FROM jobs WHERE status <> 'partial';
INSERT INTO totals (name, shard, value) SELECT 'manager_deaths', 0, count(*) FROM managers WHERE state = 'lost';

UPDATE settings SET value = '14' WHERE key = 'job-manager:schema';
