-- The first schema: jobs, their units, what a manager says about itself, and the attempts that did not complete.
--
-- STRICT, because a text in a counter must be an error here and not a surprise in a reader. STRICT knows the type
-- INTEGER only; it is always 64 bits wide. Times are microseconds since the Unix epoch, UTC.
--
-- Checks that run for every unit spell alternatives out with OR: for an IN with more than two of them SQLite fills a
-- table in memory each time a check runs, which costs more than everything else about an insertion.

CREATE TABLE jobs (
    -- Never given out twice: a number that somebody wrote down must not name another job after a deletion.
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 2147483647),
    uid             TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL CHECK (name <> ''),
    -- Idempotency: the same key twice is the same job.
    key             TEXT UNIQUE,
    handler         TEXT NOT NULL,
    spec            TEXT NOT NULL CHECK (json_valid(spec)),
    limits          TEXT NOT NULL CHECK (json_valid(limits)),
    status          TEXT NOT NULL CHECK (status IN
                        ('partial', 'created', 'running', 'paused', 'awaiting_approval', 'completed', 'failed', 'cancelled')),
    -- A wish of a client for the manager; cleared by whoever fulfils it.
    stop_request    TEXT CHECK (stop_request IN ('stop', 'stop_now', 'cancel')),
    stop_grace_ms   INTEGER,
    stop_reason     TEXT,
    -- No unit starts before this time: a handler found that none is worth an attempt until then.
    hold_until      INTEGER,
    hold_reason     TEXT,
    -- Fencing token: every write of a manager names its epoch, and hits nothing once a later one began.
    epoch           INTEGER NOT NULL CHECK (epoch >= 0),
    -- Grows with every change that a client makes; a manager that sees it grow reads again what it had read.
    revision        INTEGER NOT NULL CHECK (revision >= 0),
    -- No unit up to this number waits for its first attempt, so that a resumed job need not scan what is done.
    claimed_through INTEGER NOT NULL CHECK (claimed_through >= 0),
    -- Counters change in the same transaction as the units; the sum is checked on every write.
    total           INTEGER NOT NULL CHECK (total = pending + running + completed + failed + skipped + cancelled),
    pending         INTEGER NOT NULL CHECK (pending >= 0),
    running         INTEGER NOT NULL CHECK (running >= 0),
    completed       INTEGER NOT NULL CHECK (completed >= 0),
    failed          INTEGER NOT NULL CHECK (failed >= 0),
    skipped         INTEGER NOT NULL CHECK (skipped >= 0),
    cancelled       INTEGER NOT NULL CHECK (cancelled >= 0),
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CHECK ((hold_until IS NULL) = (hold_reason IS NULL)),
    CHECK (status NOT IN ('running', 'awaiting_approval', 'completed') OR started_at IS NOT NULL)
) STRICT;

-- Newest job of a name.
CREATE INDEX jobs_name ON jobs (name);
-- Leftovers of interrupted creations; almost always empty.
CREATE INDEX jobs_partial ON jobs (id) WHERE status = 'partial';

CREATE TABLE units (
    -- The job in the upper bits, the sequence number in the lower 32: the table's own order is the order of claims,
    -- and the happy path maintains no second index. There is no foreign key to jobs, because it would need one.
    id              INTEGER NOT NULL PRIMARY KEY,
    job_id          INTEGER NOT NULL GENERATED ALWAYS AS (id >> 32) VIRTUAL,
    seq             INTEGER NOT NULL GENERATED ALWAYS AS (id & 4294967295) VIRTUAL,
    key             TEXT,
    payload         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status = 'pending' OR status = 'running' OR status = 'completed'
                        OR status = 'failed' OR status = 'skipped' OR status = 'cancelled'),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    crashes         INTEGER NOT NULL CHECK (crashes >= 0),
    -- Set on every unit that came back to pending; never on one that waits for its first attempt.
    not_before      INTEGER,
    started_at      INTEGER,
    finished_at     INTEGER,
    exit_code       INTEGER,
    signal          INTEGER,
    error           TEXT,
    result          TEXT,
    stdout          TEXT,
    stderr          TEXT,
    CHECK ((finished_at IS NULL) = (status IN ('pending', 'running'))),
    CHECK (status <> 'running' OR started_at IS NOT NULL),
    CHECK (not_before IS NULL OR status = 'pending')
) STRICT;

-- All indexes of units are partial: a unit that completes at its first attempt enters none of them
-- but, for as long as it runs, the first.
CREATE INDEX units_running ON units (id) WHERE status = 'running';
CREATE INDEX units_waiting ON units (job_id, not_before) WHERE not_before IS NOT NULL;
CREATE INDEX units_failed ON units (id) WHERE status = 'failed';
CREATE UNIQUE INDEX units_key ON units (job_id, key) WHERE key IS NOT NULL;

CREATE TABLE metadata (
    job_id          INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    key             TEXT NOT NULL,
    value           TEXT NOT NULL,
    PRIMARY KEY (job_id, key)
) STRICT, WITHOUT ROWID;

-- What handlers say about attempts under way: how far they are, and what the next attempt shall be given.
-- A unit whose handler says nothing has no row.
CREATE TABLE unit_notes (
    unit_id         INTEGER NOT NULL PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    done            INTEGER,
    total           INTEGER,
    message         TEXT,
    checkpoint      TEXT CHECK (checkpoint IS NULL OR json_valid(checkpoint))
) STRICT;

-- One row for each attempt that did not complete; nothing on the happy path.
CREATE TABLE attempts (
    id              INTEGER NOT NULL PRIMARY KEY,
    unit_id         INTEGER NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    attempt         INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('failed', 'killed', 'timed_out', 'panicked', 'not_started',
                        'interrupted', 'crashed', 'cancelled', 'postponed', 'needs_attention')),
    exit_code       INTEGER,
    signal          INTEGER,
    error           TEXT NOT NULL,
    stdout          TEXT,
    stderr          TEXT
) STRICT;

CREATE INDEX attempts_unit ON attempts (unit_id);
