-- As in SQLite's migration of that name, where the reasons stand.
CREATE TABLE meters (
    job_id          bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name            text COLLATE "C" NOT NULL CHECK (name <> ''),
    spent           bigint NOT NULL CHECK (spent >= 0),
    unmetered       bigint NOT NULL CHECK (unmetered >= 0),
    day_start       bigint NOT NULL,
    before_day      bigint NOT NULL CHECK (before_day BETWEEN 0 AND spent),
    costs           text NOT NULL CHECK (costs::json IS NOT NULL),
    PRIMARY KEY (job_id, name)
) WITH (fillfactor = 50);

CREATE TABLE spends (
    unit_id         bigint NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    name            text COLLATE "C" NOT NULL CHECK (name <> ''),
    amount          bigint NOT NULL CHECK (amount >= 0),
    under_way       bigint CHECK (under_way >= 0),
    PRIMARY KEY (unit_id, name)
);

UPDATE settings SET value = '10' WHERE key = 'job-manager:schema';
