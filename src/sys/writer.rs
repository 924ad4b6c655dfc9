//! Who holds the write lock of a database, as far as the kernel tells: its locks are ranges of bytes in known places.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The byte of the shared memory of a write-ahead log that whoever writes has locked.
const WAL_WRITE_LOCK: u64 = 120;
/// The bytes of a database of which one is locked by whoever writes without such a log, or wants it alone.
const WRITE_LOCKS: std::ops::RangeInclusive<u64> = 0x4000_0000..=0x4000_01ff;

/// Looks at the locks of the machine: the list comes in pieces, and misses some that move meanwhile.
const LOOKS: usize = 4;

/// A process that holds the write lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Its number.
    pub pid: u32,
    /// Its name, as far as it can be told.
    pub name: Option<String>,
}

impl Writer {
    /// Looks who writes to a database at this moment; opens nothing of it.
    ///
    /// `None` also where the kernel does not tell: for processes of another container, say.
    pub fn of(db: &Path) -> Option<Writer> {
        let inode = |path: &Path| fs::metadata(path).ok().map(|file| file.ino());
        let mut shared = OsString::from(db);
        shared.push("-shm");
        let (db, shared) = (inode(db), inode(&PathBuf::from(shared)));
        let pid = (0..LOOKS).find_map(|_| pid_of(&fs::read_to_string("/proc/locks").ok()?, db, shared))?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        Some(Writer { pid, name: name.map(|name| name.trim_end().to_owned()) })
    }
}

/// Finds the lock among those of the machine, by the inodes of the database and of its shared memory.
fn pid_of(locks: &str, db: Option<u64>, shared: Option<u64>) -> Option<u32> {
    locks.lines().find_map(|line| {
        // A lock that is waited for has an arrow in the second place.
        let [_, "POSIX", _, "WRITE", pid, file, first, last] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return None;
        };
        let inode = file.rsplit(':').next()?.parse().ok();
        let first: u64 = first.parse().ok()?;
        let last: u64 = last.parse().unwrap_or(u64::MAX);
        let in_log = inode == shared && (first..=last).contains(&WAL_WRITE_LOCK);
        let in_database = inode == db && first <= *WRITE_LOCKS.end() && last >= *WRITE_LOCKS.start();
        pid.parse().ok().filter(|pid| inode.is_some() && *pid > 0 && (in_log || in_database))
    })
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_the_write_lock_is_found_among_all_locks_of_the_machine() {
        let locks = "1: FLOCK  ADVISORY  WRITE 11 fe:00:8 0 EOF\n\
            2: POSIX  ADVISORY  READ 12 fe:00:8 123 123\n\
            3: POSIX  ADVISORY  WRITE 13 fe:00:9 120 120\n\
            3: -> POSIX  ADVISORY  WRITE 14 fe:00:8 120 120\n\
            4: OFDLCK ADVISORY  WRITE -1 fe:00:8 120 120\n\
            5: POSIX  ADVISORY  WRITE 15 fe:00:8 120 120\n";

        assert_eq!(pid_of(locks, Some(7), Some(8)), Some(15));
        assert_eq!(pid_of(locks, Some(7), None), None);
        let alone = "1: POSIX  ADVISORY  READ 1 fe:00:7 1073741826 1073742335\n\
            2: POSIX  ADVISORY  WRITE 2 fe:00:7 1073741825 1073741825\n";
        assert_eq!(pid_of(alone, Some(7), None), Some(2));
    }
}
