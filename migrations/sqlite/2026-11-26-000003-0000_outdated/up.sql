-- Why a unit is no longer part of what its job's source says: `sync` did not find it there, or another unit replaces it.
-- Results skip such units, those that had completed among them. That fact needs a place of its own, because a recorded
-- completion never changes its status.
ALTER TABLE units ADD COLUMN outdated TEXT CHECK (outdated IS NULL OR outdated = 'gone' OR outdated = 'replaced');
-- Until now only the reason of a skipped unit told.
UPDATE units SET outdated = 'gone' WHERE status = 'skipped' AND error = 'gone from the source';
UPDATE units SET outdated = 'replaced' WHERE status = 'skipped' AND error = 'changed in the source, another unit replaces it';
-- Almost always empty; counts them without a look at the others.
CREATE INDEX units_outdated ON units (id) WHERE outdated IS NOT NULL;
