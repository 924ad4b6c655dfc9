-- As in SQLite's migration of that name, where the reasons stand.
CREATE TABLE flags (
    unit_id         bigint NOT NULL PRIMARY KEY REFERENCES units (id) ON DELETE CASCADE,
    attempt         bigint NOT NULL,
    revision        bigint NOT NULL,
    started_at      bigint,
    text            text NOT NULL,
    decision        text CHECK (decision IN ('accepted', 'redone')),
    decided_by      text,
    decided_at      bigint,
    note            text,
    CHECK ((decision IS NULL) = (decided_at IS NULL))
);

UPDATE settings SET value = '13' WHERE key = 'job-manager:schema';
