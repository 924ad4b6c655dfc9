//! Where the files beside a database lie. Pure paths; nothing is touched here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::JobId;

/// The directory beside a database that holds its locks and logs: `jobs.db` has `jobs.db.d/`, mode 0700.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

/// The files of one job inside the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFiles(PathBuf);

impl StateDir {
    /// Returns the directory of the database at `db`.
    pub fn beside(db: &Path) -> Self {
        let mut name = OsString::from(db);
        name.push(".d");
        Self(PathBuf::from(name))
    }

    /// Returns `true` for a path that has the form of such a directory's.
    pub fn is_one(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending == "d")
    }

    /// Returns the database beside whose directory, or in it, a path lies, if it has the form of one there.
    pub fn database_around(path: &Path) -> Option<PathBuf> {
        path.ancestors().find(|above| Self::is_one(above)).map(|above| above.with_extension(""))
    }

    /// Returns the directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the file whose lock serialises creation and migration of the database.
    pub fn setup_lock(&self) -> PathBuf {
        self.0.join("setup.lock")
    }

    /// Returns the file whose lock keeps jobs that are being created or deleted from being swept.
    pub fn partial_lock(&self) -> PathBuf {
        self.0.join("partial.lock")
    }

    /// Returns the file whose lock keeps two processes from deleting the same jobs.
    pub fn deletion_lock(&self) -> PathBuf {
        self.0.join("deletion.lock")
    }

    /// Returns the directory of the locks by which managers share a number of running units.
    pub fn permits(&self) -> PathBuf {
        self.0.join("places")
    }

    /// Returns one of those locks; the first is 0.
    pub fn permit(&self, number: usize) -> PathBuf {
        self.permits().join(number.to_string())
    }

    /// Returns the file among those that a job's manager locks while it waits for more of them.
    pub fn waits_for_permit(&self, job: JobId) -> PathBuf {
        self.permits().join(format!("{job}.waits"))
    }

    /// Returns the file of the token that requests to the dashboard have to show.
    pub fn dashboard_token(&self) -> PathBuf {
        self.0.join("dashboard.token")
    }

    /// Returns the file of the token that requests to a dashboard have to show which changes nothing.
    pub fn reading_token(&self) -> PathBuf {
        self.0.join("dashboard.read-only.token")
    }

    /// Returns the files of one job.
    pub fn job(&self, job: JobId) -> JobFiles {
        JobFiles(self.0.join(job.to_string()))
    }
}

impl JobFiles {
    /// Name of the manager's log.
    pub const LOG: &str = "manager.log";
    /// Name of what was its log until that was full.
    pub const FORMER_LOG: &str = "manager.log.1";

    /// Returns the job's own directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the lock that the manager holds for its life.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Returns the lock of whoever brings the job's units in line with a source.
    pub fn sync_lock(&self) -> PathBuf {
        self.0.join("sync.lock")
    }

    /// Returns the manager's log.
    pub fn log(&self) -> PathBuf {
        self.0.join(Self::LOG)
    }

    /// Returns what was the manager's log until that was full.
    pub fn former_log(&self) -> PathBuf {
        self.0.join(Self::FORMER_LOG)
    }

    /// Returns the notes about which unit each worker slot runs.
    pub fn notes(&self) -> PathBuf {
        self.0.join("notes")
    }

    /// Returns the directory of the notes about paths that units are making.
    pub fn making(&self) -> PathBuf {
        self.0.join("making")
    }

    /// Returns the note about the path that the unit of a worker slot is making.
    pub fn making_in(&self, slot: usize) -> PathBuf {
        self.making().join(slot.to_string())
    }

    /// Returns the directory of the files that attempts under way are given or speak through.
    pub fn attempts(&self) -> PathBuf {
        self.0.join("attempts")
    }

    /// Returns the directory of what attempts under way have said of the time of the next one.
    pub fn later(&self) -> PathBuf {
        self.0.join("later")
    }

    /// Returns the directory of the ends of units that wait for their commit.
    pub fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }

    /// Returns the directory of the whole output of units, in a job that keeps it.
    pub fn output(&self) -> PathBuf {
        self.0.join("output")
    }

    /// Returns the directory of the files that units get as their standard input.
    pub fn slots(&self) -> PathBuf {
        self.0.join("slots")
    }

    /// Returns the locked file that units of a worker slot get as their standard input.
    pub fn slot(&self, slot: usize) -> PathBuf {
        self.slots().join(slot.to_string())
    }
}
