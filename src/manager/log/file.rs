//! The file of the log, and the one before it: when the file is full it becomes the former one, and a new one begins.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

use crate::files::{How, PrivateDir};
use crate::model::JobFiles;
use crate::sys::opening;

/// Writes the log of a job.
pub(super) struct LogFile {
    dir: PrivateDir,
    file: File,
    max_bytes: u64,
    attach: fn(&File) -> io::Result<()>,
}

impl LogFile {
    /// Goes on with the file of a job; each file that is written is given to `attach`.
    pub fn open(files: &JobFiles, max_bytes: u64, attach: fn(&File) -> io::Result<()>) -> io::Result<LogFile> {
        let dir = PrivateDir::open(files.path())?;
        // The one that this process was started with may have become the former one meanwhile.
        let file = dir.file(JobFiles::LOG, How::Append)?;
        attach(&file)?;
        Ok(LogFile { dir, file, max_bytes, attach })
    }

    /// Adds a line.
    pub fn write(&mut self, line: &[u8]) -> io::Result<()> {
        // A file that is too long is better than a line that is not there.
        let _ = self.make_room(line.len() as u64);
        self.file.write_all(line)
    }

    /// Begins a new file if so many bytes more are too much for this one.
    pub fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        // Looked at, because whatever writes to standard error writes into it too.
        let own = self.file.metadata()?;
        if own.len() == 0 || own.len() + bytes <= self.max_bytes {
            return Ok(());
        }
        let _opening = opening();
        let mut file = self.dir.file(JobFiles::LOG, How::Append)?;
        let named = file.metadata()?;
        // A newer manager has begun a file of its own, or somebody has taken ours away.
        if (named.dev(), named.ino()) == (own.dev(), own.ino()) {
            self.dir.rename(JobFiles::LOG, JobFiles::FORMER_LOG)?;
            file = self.dir.file(JobFiles::LOG, How::Append)?;
        }
        (self.attach)(&file)?;
        self.file = file;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::DEFAULT_BYTES;
    use super::*;
    use crate::model::{JobId, StateDir};

    fn files(dir: &tempfile::TempDir) -> JobFiles {
        let files = StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1));
        crate::files::create_private_dir(files.path()).unwrap();
        files
    }

    fn length(path: std::path::PathBuf) -> u64 {
        fs::metadata(path).unwrap().len()
    }

    #[test]
    fn fault_311_a_hundred_megabytes_of_log_leave_two_files_of_the_stated_length() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let mut log = LogFile::open(&files, DEFAULT_BYTES.get(), |_| Ok(())).unwrap();
        let line = [&[b'x'; 9_999][..], b"\n"].concat();

        for _ in 0..10_000 {
            log.write(&line).unwrap();
        }
        log.write(b"the last line\n").unwrap();

        let names: Vec<_> = fs::read_dir(files.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!([files.log(), files.former_log()].into_iter().all(|log| length(log) <= DEFAULT_BYTES.get()));
        assert!(fs::read_to_string(files.log()).unwrap().ends_with("x\nthe last line\n"));
    }

    #[test]
    fn fault_311_what_others_write_into_the_log_makes_it_rotate_too() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let mut log = LogFile::open(&files, 100, |_| Ok(())).unwrap();
        fs::write(files.log(), "x".repeat(1000)).unwrap();

        log.make_room(0).unwrap();
        log.write(b"next\n").unwrap();

        assert_eq!(length(files.former_log()), 1000);
        assert_eq!(fs::read_to_string(files.log()).unwrap(), "next\n");
    }

    #[test]
    fn fault_311_a_manager_that_is_superseded_leaves_the_file_of_the_newer_one_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let [mut older, mut newer] = [(), ()].map(|()| LogFile::open(&files, 10, |_| Ok(())).unwrap());

        older.write(b"by both\n").unwrap();
        newer.write(b"by newer\n").unwrap();
        older.write(b"older\n").unwrap();

        assert_eq!(fs::read_to_string(files.former_log()).unwrap(), "by both\n");
        assert_eq!(fs::read_to_string(files.log()).unwrap(), "by newer\nolder\n");
    }

    #[test]
    fn fault_311_no_file_of_the_log_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let mut log = LogFile::open(&files, 4, |_| Ok(())).unwrap();
        std::os::unix::fs::symlink(&victim, files.former_log()).unwrap();

        log.write(b"one\n").unwrap();
        log.write(b"two\n").unwrap();

        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(files.former_log()).unwrap(), "one\n");
        assert_eq!(fs::metadata(files.log()).unwrap().mode() & 0o777, 0o600);
    }
}
