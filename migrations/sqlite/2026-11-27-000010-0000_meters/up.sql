-- What attempts cost, where a job counts that: money, tokens. Only jobs with meters have rows here. Amounts are millionths, never
-- negative; a sum that no longer fits is no INTEGER and refused by STRICT.
CREATE TABLE meters (
    job_id          INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name            TEXT NOT NULL CHECK (name <> ''),
    -- The sum of the amounts of its units, which change in the same transaction.
    spent           INTEGER NOT NULL CHECK (spent >= 0),
    -- Attempts of unknown cost, each counted as what an attempt usually costs.
    unmetered       INTEGER NOT NULL CHECK (unmetered >= 0),
    -- The day of a budget by the day, as far as somebody has looked, and what had been spent before it.
    day_start       INTEGER NOT NULL,
    before_day      INTEGER NOT NULL CHECK (before_day BETWEEN 0 AND spent),
    -- What attempts cost, by size: a manager sets that aside for each that it starts.
    costs           TEXT NOT NULL CHECK (json_valid(costs)),
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE spends (
    unit_id         INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    name            TEXT NOT NULL CHECK (name <> ''),
    -- What all attempts at the unit have cost.
    amount          INTEGER NOT NULL CHECK (amount >= 0),
    -- The part of it that the attempt under way has said; none when it has said nothing, or there is none.
    under_way       INTEGER CHECK (under_way >= 0),
    PRIMARY KEY (unit_id, name)
) STRICT, WITHOUT ROWID;
