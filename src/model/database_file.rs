//! Which file a database is: names change and are shared, device and inode tell files isolation.

use std::path::PathBuf;

use super::RawText;

/// A database: the file, and the canonical name under which it was opened. Locks and logs lie beside that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFile {
    /// Canonical path.
    pub path: PathBuf,
    /// Device of the file.
    pub device: u64,
    /// Number of the file on that device.
    pub inode: u64,
}

impl DatabaseFile {
    /// Returns `true` if both are one file, whatever its names.
    pub fn is_same_file(&self, other: &DatabaseFile) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Writes it as one line of text.
    pub fn to_text(&self) -> String {
        format!("{}:{}:{}", self.device, self.inode, RawText::from(self.path.as_os_str()).to_column())
    }

    /// Reads what [`DatabaseFile::to_text`] has written; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<DatabaseFile> {
        let mut parts = text.splitn(3, ':');
        let (device, inode) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let path = PathBuf::from(std::ffi::OsString::from(RawText::of_column(parts.next()?)));
        Some(DatabaseFile { path, device, inode })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_database_survives_the_way_through_text_whatever_the_bytes_of_its_path() {
        for path in [b"/a:b/jobs.db".to_vec(), b"/\xff\xfe/jobs.db".to_vec()] {
            let path = PathBuf::from(std::ffi::OsString::from_vec(path));
            let file = DatabaseFile { path, device: 7, inode: u64::MAX };

            assert_eq!(DatabaseFile::from_text(&file.to_text()), Some(file));
        }
    }

    #[test]
    fn what_is_no_database_is_not_read_as_one() {
        for text in ["", "7", "7:8", "x:8:/jobs.db", "7:-8:/jobs.db"] {
            assert_eq!(DatabaseFile::from_text(text), None, "{text}");
        }
    }
}
