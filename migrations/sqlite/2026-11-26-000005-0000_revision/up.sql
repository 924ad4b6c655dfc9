-- A unit that was skipped and sent back looks as it did before, and yet it may have other content and its attempts again: status and
-- attempts do not tell the two apart. This number does. Every change by a client raises it; the writes of a manager name it and
-- leave it as it is, so that nothing is recorded of a unit that has become another one meanwhile.
ALTER TABLE units ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
