//! The disk a file lies on, and how much of the machine this process may use.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[cfg(feature = "sources")]
use rustix::fs::Access;

use crate::model::DatabaseFile;

/// What is known about the file system of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Its kind, when other machines can write to it and locks cannot be relied on.
    pub shared: Option<&'static str>,
}

/// Looks at the file system of a directory.
pub fn disk_of(dir: &Path) -> io::Result<Disk> {
    let found = rustix::fs::statfs(dir)?;
    let block = u64::try_from(found.f_bsize).unwrap_or(0);
    Ok(Disk { free_bytes: found.f_bavail.saturating_mul(block), shared: shared_kind(found.f_type as u64 as u32) })
}

/// Fails when this user may not write to a file, or make files in a directory.
#[cfg(feature = "sources")]
pub fn expect_writable(path: &Path) -> io::Result<()> {
    let wanted = if path.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    Ok(rustix::fs::access(path, wanted)?)
}

/// Returns `true` if somebody who named `theirs` works on another database than ours, which is still where it was: one of
/// them is a copy. Where theirs is gone, it was moved and is ours. Paths of theirs begin at `root`.
pub fn is_another(theirs: &DatabaseFile, ours: &DatabaseFile, root: &Path) -> bool {
    !theirs.is_same_file(ours) && is_in_place(theirs, root)
}

/// Returns `true` if a database is where it was opened, in the file system that begins at `root`. One that cannot be
/// looked at may be there: only one that is certainly gone has left its processes and records to others.
pub fn is_in_place(database: &DatabaseFile, root: &Path) -> bool {
    let path = root.join(database.path.strip_prefix("/").unwrap_or(&database.path));
    match std::fs::metadata(path) {
        Ok(found) => (found.dev(), found.ino()) == (database.device, database.inode),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Returns how many files a manager that is started from this process can have open: it raises its soft limit.
pub fn most_open_files() -> io::Result<u64> {
    let (_soft, hard) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    Ok(hard)
}

/// Names the kinds of file systems on which WAL's shared memory and locks fail, by their magic numbers.
fn shared_kind(magic: u32) -> Option<&'static str> {
    const KINDS: [(u32, &str); 13] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9p"),
        (0x6573_5546, "FUSE"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x1983_0326, "BeeGFS"),
        (0x7461_636f, "OCFS2"),
        (0x0116_1970, "GFS2"),
    ];
    KINDS.iter().find(|(number, _)| *number == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_64_shared_file_systems_are_known_by_their_numbers() {
        assert_eq!(shared_kind(0x6969), Some("NFS"));
        assert_eq!(shared_kind(0x6573_5546), Some("FUSE"));
        assert_eq!(shared_kind(0x0bd0_0bd0), Some("Lustre"));
        assert_eq!(shared_kind(0xef53), None);
    }

    #[test]
    fn fault_303_a_database_that_cannot_be_looked_at_is_not_taken_for_gone() {
        let dir = tempfile::tempdir().unwrap();
        let [endless, gone] = ["endless", "gone"].map(|name| dir.path().join(name));
        std::os::unix::fs::symlink(&endless, &endless).unwrap();
        let at = |path: &Path| DatabaseFile { path: path.join("jobs.db"), device: 1, inode: 1 };

        assert!(is_in_place(&at(&endless), Path::new("/")));
        assert!(!is_in_place(&at(&gone), Path::new("/")));
    }

    #[test]
    fn the_disk_of_a_directory_has_some_space() {
        assert!(disk_of(Path::new("/")).unwrap().free_bytes > 0);
    }
}
