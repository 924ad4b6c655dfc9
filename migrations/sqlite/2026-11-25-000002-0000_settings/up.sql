-- What holds for all jobs of a database, such as how many units may run at the same time over all of them.
-- A setting that nobody has made has no row.
CREATE TABLE settings (
    key             TEXT NOT NULL PRIMARY KEY,
    value           TEXT NOT NULL
) STRICT, WITHOUT ROWID;
