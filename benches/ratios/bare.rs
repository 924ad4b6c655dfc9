//! The limits of the machine: the same work without Job Manager, straight on SQLite's C API and on `posix_spawn`.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::ptr;
use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;

/// The tables that Job Manager makes, so that both pay for the same rows, checks and indexes.
const SCHEMA: &str = include_str!("../../migrations/sqlite/2026-11-24-000001-0000_jobs/up.sql");
const JOB: i64 = 1;
const INSERT: &CStr =
    c"INSERT INTO units (status, attempts, crashes, id, key, payload) VALUES ('pending', 0, 0, ?1, NULL, ?2)";
const START: &CStr =
    c"UPDATE units SET status = 'running', attempts = 1, started_at = ?2 WHERE id = ?1 AND status = 'pending'";
const END: &CStr = c"UPDATE units SET status = 'completed', finished_at = ?2 WHERE id = ?1 AND status = 'running'";
/// Units whose states one transaction records.
const RECORDED_TOGETHER: i64 = 1_000;
/// Units that one transaction inserts: as many as Job Manager does.
const INSERTED_TOGETHER: i64 = 10_000;

/// A connection to a database with the tables of Job Manager and one job.
struct Bare(*mut ffi::sqlite3);

/// A prepared statement.
struct Statement(*mut ffi::sqlite3_stmt);

impl Bare {
    fn create(path: &Path) -> Bare {
        let name = CString::new(path.to_str().expect("a temporary path is UTF-8")).expect("a path has no NUL");
        let mut db = ptr::null_mut();
        // SAFETY: the name outlives the call, and SQLite writes the handle into `db`.
        assert_eq!(unsafe { ffi::sqlite3_open(name.as_ptr(), &mut db) }, ffi::SQLITE_OK);
        let bare = Bare(db);
        bare.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
        bare.execute(SCHEMA);
        bare.execute(
            "INSERT INTO jobs (id, uid, name, handler, spec, limits, status, epoch, revision, claimed_through, total, \
             pending, running, completed, failed, skipped, cancelled, created_at, started_at) \
             VALUES (1, 'u', 'bare', 'nothing', '{}', '{}', 'running', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1)",
        );
        bare
    }

    fn execute(&self, sql: &str) {
        let sql = CString::new(sql).expect("SQL has no NUL");
        // SAFETY: the handle is open and the text outlives the call.
        let code = unsafe { ffi::sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        assert_eq!(code, ffi::SQLITE_OK, "{sql:?}");
    }

    fn prepare(&self, sql: &CStr) -> Statement {
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open, the text outlives the call, and SQLite writes the statement into `statement`.
        let code = unsafe { ffi::sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &mut statement, ptr::null_mut()) };
        assert_eq!(code, ffi::SQLITE_OK, "{sql:?}");
        Statement(statement)
    }

    fn insert_units(&self, units: i64) {
        let insert = self.prepare(INSERT);
        for first in (1..=units).step_by(INSERTED_TOGETHER as usize) {
            self.execute("BEGIN IMMEDIATE");
            let last = units.min(first + INSERTED_TOGETHER - 1);
            for seq in first..=last {
                let payload = format!("\"{seq}\"");
                insert.run(|statement| {
                    // SAFETY: the statement is prepared and reset, and the payload outlives the step.
                    unsafe {
                        ffi::sqlite3_bind_int64(statement, 1, (JOB << 32) | seq);
                        let bytes = i32::try_from(payload.len()).expect("a number is short");
                        ffi::sqlite3_bind_text(statement, 2, payload.as_ptr().cast(), bytes, ffi::SQLITE_STATIC());
                    }
                });
            }
            let added = last - first + 1;
            self.execute(&format!("UPDATE jobs SET total = total + {added}, pending = pending + {added}; COMMIT"));
        }
    }

    fn record_units(&self, units: i64) {
        let (start, end) = (self.prepare(START), self.prepare(END));
        for first in (1..=units).step_by(RECORDED_TOGETHER as usize) {
            self.execute("BEGIN IMMEDIATE");
            let last = units.min(first + RECORDED_TOGETHER - 1);
            for seq in first..=last {
                for statement in [&start, &end] {
                    statement.run(|statement| {
                        // SAFETY: the statement is prepared and reset.
                        unsafe {
                            ffi::sqlite3_bind_int64(statement, 1, (JOB << 32) | seq);
                            ffi::sqlite3_bind_int64(statement, 2, 1_700_000_000_000_000 + seq);
                        }
                    });
                }
            }
            let ended = last - first + 1;
            self.execute(&format!(
                "UPDATE jobs SET pending = pending - {ended}, completed = completed + {ended}; COMMIT"
            ));
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and every statement was finalised before.
        unsafe { ffi::sqlite3_close(self.0) };
    }
}

impl Statement {
    fn run(&self, bind: impl FnOnce(*mut ffi::sqlite3_stmt)) {
        bind(self.0);
        // SAFETY: the statement is prepared, and its bound values live until it is reset.
        let code = unsafe {
            let code = ffi::sqlite3_step(self.0);
            ffi::sqlite3_reset(self.0);
            code
        };
        assert_eq!(code, ffi::SQLITE_DONE);
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement was prepared and is finalised once.
        unsafe { ffi::sqlite3_finalize(self.0) };
    }
}

/// Times the insertion of units.
pub fn insert(dir: &Path, units: u32) -> Duration {
    let bare = Bare::create(&dir.join("bare.db"));
    let began = Instant::now();
    bare.insert_units(units.into());
    began.elapsed()
}

/// Times the recording of two states for each unit.
pub fn record(dir: &Path, units: u32) -> Duration {
    let bare = Bare::create(&dir.join("bare.db"));
    bare.insert_units(units.into());
    let began = Instant::now();
    bare.record_units(units.into());
    began.elapsed()
}

/// Times `true`, started and waited for by two threads, with nothing recorded.
pub fn spawn(units: u32) -> Duration {
    let began = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for _ in 0..units / 2 {
                    let status = Command::new("/bin/true")
                        .stdin(Stdio::null())
                        .stdout(Stdio::null())
                        .stderr(Stdio::null())
                        .status()
                        .expect("true is there");
                    assert!(status.success());
                }
            });
        }
    });
    began.elapsed()
}
