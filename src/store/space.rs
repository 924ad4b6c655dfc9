//! Space of deleted rows, given back to the file system.
//!
//! New databases know for each page who refers to it (`auto_vacuum = INCREMENTAL`), so that their last pages can move into free ones
//! and the file be cut, a few pages at a time. That cannot be switched on later without rewriting the file, which
//! [`Store::compact`] does for databases of older versions.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::statement::statement;
use super::{Store, StoreError};

/// How long a step may hold the write lock; half of it is aimed at.
const LONGEST_STEP: Duration = Duration::from_millis(50);
const FEWEST_PAGES: i64 = 64;
const MOST_PAGES: i64 = 1 << 14;
/// How often the log is tried to be cut, each time waiting as long as a step for those who use it.
const CUTS: u32 = 5;

statement! { struct FreePages {} "PRAGMA freelist_count" -> BigInt }
statement! { struct PageSize {} "PRAGMA page_size" -> BigInt }
statement! { struct AutoVacuum {} "PRAGMA auto_vacuum" -> Integer }
statement! { struct BusyTimeout {} "PRAGMA busy_timeout" -> BigInt }
statement! { struct CutLog {} "PRAGMA wal_checkpoint(TRUNCATE)" -> (Integer, Integer, Integer) }

impl Store {
    /// Gives the space of deleted rows back to the file system, in steps between which others write.
    ///
    /// A database of an older version keeps it for new rows: see [`Store::reclaimable_bytes`].
    pub fn release_space(&mut self) -> Result<(), StoreError> {
        if self.has_no_file() {
            return Ok(());
        }
        let mut pages = FEWEST_PAGES;
        let mut free = self.tidy(|conn| FreePages {}.get_result::<i64>(conn))?;
        while free > 0 {
            let mut begun = Instant::now();
            let left: i64 = self.write("give space back", |conn| {
                // Not the wait for the lock.
                begun = Instant::now();
                conn.batch_execute(&format!("PRAGMA incremental_vacuum({pages})"))?;
                Ok(FreePages {}.get_result(conn)?)
            })?;
            let took = begun.elapsed();
            if left >= free {
                break;
            }
            free = left;
            pages = next_step(pages, took);
            // SQLite has no queue for its write lock: others get it only while nobody holds it.
            std::thread::sleep(took.min(LONGEST_STEP));
        }
        self.cut_log()
    }

    /// Returns how many bytes of the file hold nothing and will be given back by [`Store::compact`] only.
    pub fn reclaimable_bytes(&mut self) -> Result<i64, StoreError> {
        if self.has_no_file() {
            return Ok(0);
        }
        self.read("look for free space", |conn| {
            let gives_back = AutoVacuum {}.get_result::<i32>(conn)? != 0;
            let free: i64 = FreePages {}.get_result(conn)?;
            let size: i64 = PageSize {}.get_result(conn)?;
            Ok(if gives_back { 0 } else { free * size })
        })
    }

    /// Rewrites the whole file, without free space and in the form in which it gives space back from now on.
    ///
    /// Nobody else can write meanwhile; after a crash the file is as it was.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        if self.has_no_file() {
            return self.tidy(|conn| conn.batch_execute("VACUUM (FULL)"));
        }
        self.tidy(|conn| conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM"))?;
        self.cut_log()
    }

    /// Returns `true` for a database on a server, which gives space back by itself.
    pub fn has_no_file(&mut self) -> bool {
        on_server(&mut self.conn)
    }

    /// Moves the log into the database and cuts both. A reader that needs the log keeps it; then a later commit moves it.
    fn cut_log(&mut self) -> Result<(), StoreError> {
        // Most of the work happens here, which keeps nobody from writing.
        self.tidy(|conn| conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)"))?;
        let timeout: i64 = self.tidy(|conn| BusyTimeout {}.get_result(conn))?;
        let tidied = self.tidy(|conn| {
            conn.batch_execute(&format!("PRAGMA busy_timeout = {}", LONGEST_STEP.as_millis()))?;
            for _ in 0..CUTS {
                let (is_busy, _, _): (i32, i32, i32) = CutLog {}.get_result(conn)?;
                if is_busy == 0 {
                    break;
                }
            }
            Ok(())
        });
        self.tidy(|conn| conn.batch_execute(&format!("PRAGMA busy_timeout = {timeout}")))?;
        tidied
    }

    fn tidy<T>(&mut self, body: impl FnOnce(&mut DbConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        body(&mut self.conn).map_err(|error| Failure::Sql(error).during("tidy up the database", &self.file.path))
    }
}

/// Returns how many pages the next step moves, after one of `pages` that held the write lock that long.
fn next_step(pages: i64, took: Duration) -> i64 {
    if took > LONGEST_STEP / 2 {
        (pages / 2).max(FEWEST_PAGES)
    } else if took < LONGEST_STEP / 4 {
        (pages * 2).min(MOST_PAGES)
    } else {
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_takes_long_is_followed_by_a_shorter_one() {
        assert_eq!(next_step(1000, Duration::from_millis(5)), 2000);
        assert_eq!(next_step(1000, Duration::from_millis(20)), 1000);
        assert_eq!(next_step(1000, Duration::from_millis(26)), 500);
        assert_eq!(next_step(FEWEST_PAGES, Duration::from_secs(1)), FEWEST_PAGES);
        assert_eq!(next_step(MOST_PAGES, Duration::ZERO), MOST_PAGES);
    }
}
