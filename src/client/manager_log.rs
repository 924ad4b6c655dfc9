//! Reading a manager's log, which is a file and the one before it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::Client;
use crate::files::{How, open_private};
use crate::model::{JobFiles, JobId};

/// Bytes that are looked at together for the ends of lines.
const BLOCK_BYTES: usize = 64 * 1024;

/// The log of a job's managers, the oldest line first; at its end it can be read on when there is more.
#[derive(Debug)]
pub struct ManagerLog {
    files: JobFiles,
    file: File,
    /// What is read after it.
    next: Option<File>,
}

impl Client {
    /// Opens the log of a job's managers, or the `last` lines of it.
    ///
    /// ```no_run
    /// # use std::io::Read;
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let mut log = client.manager_log(client.find_job("last")?, Some(20))?;
    /// let mut lines = Vec::new();
    /// log.read_to_end(&mut lines)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn manager_log(&self, job: JobId, last: Option<usize>) -> io::Result<ManagerLog> {
        ManagerLog::open(self.job_files(job), last)
    }
}

impl ManagerLog {
    fn open(files: JobFiles, last: Option<usize>) -> io::Result<ManagerLog> {
        // The newer one first: should it become the former one meanwhile, both are the same.
        let mut file = match find(&files.log())? {
            Some(file) => file,
            None => open_private(&files.former_log(), How::Read)?,
        };
        let (mut start, missing) = last.map_or(Ok((0, usize::MAX)), |last| start_of_last(&file, last))?;
        if missing > 0
            && let Some(former) = find(&files.former_log())?
            && !are_same(&former, &file)?
        {
            start = last.map_or(Ok(0), |_| start_of_last(&former, missing).map(|(start, _)| start))?;
            file = former;
        }
        file.seek(SeekFrom::Start(start))?;
        Ok(ManagerLog { files, file, next: None })
    }

    /// Returns the file that follows the present one, if there is one.
    fn find_next(&self) -> io::Result<Option<File>> {
        let Some(newest) = find(&self.files.log())? else { return Ok(None) };
        if are_same(&newest, &self.file)? {
            return Ok(None);
        }
        match find(&self.files.former_log())? {
            // A second rotation, before this reader had come to its end.
            Some(former) if !are_same(&former, &self.file)? => Ok(Some(former)),
            _ => Ok(Some(newest)),
        }
    }
}

impl Read for ManagerLog {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(block)?;
            if read > 0 || block.is_empty() {
                return Ok(read);
            }
            // Once more to its end after the next one was found: nothing is added from then on.
            if let Some(next) = self.next.take() {
                self.file = next;
                continue;
            }
            self.next = self.find_next()?;
            if self.next.is_none() {
                return Ok(0);
            }
        }
    }
}

fn find(path: &Path) -> io::Result<Option<File>> {
    match open_private(path, How::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn are_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Returns where the last lines of a file begin, looked for from its end, and how many of them it does not have.
fn start_of_last(file: &File, lines: usize) -> io::Result<(u64, usize)> {
    let end = file.metadata()?.len();
    let (mut block, mut at, mut left) = (vec![0; BLOCK_BYTES], end, lines);
    while at > 0 && left > 0 {
        let start = at.saturating_sub(BLOCK_BYTES as u64);
        let block = &mut block[..usize::try_from(at - start).expect("a block is short")];
        file.read_exact_at(block, start)?;
        for (index, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            // The end of a line begins the next, but for the last one.
            let begins = start + index as u64 + 1;
            left -= usize::from(begins < end);
            if left == 0 {
                return Ok((begins, 0));
            }
        }
        at = start;
    }
    // What is before the first end of a line is one too.
    Ok(if lines == 0 { (end, 0) } else { (0, left - usize::from(end > 0)) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::StateDir;

    #[test]
    fn the_last_lines_of_a_log_are_found_from_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let long = "x".repeat(BLOCK_BYTES * 2);
        for (text, lines, last, missing) in [
            ("", 3, "", 3),
            ("one\ntwo\nthree\n", 0, "", 0),
            ("one\ntwo\nthree\n", 1, "three\n", 0),
            ("one\ntwo\nthree", 2, "two\nthree", 0),
            ("one\ntwo\n", 5, "one\ntwo\n", 3),
            ("one\ntwo\n", 2, "one\ntwo\n", 0),
            ("\n\n\n", 2, "\n\n", 0),
            (&format!("one\n{long}\n"), 1, &format!("{long}\n"), 0),
        ] {
            fs::write(&path, text).unwrap();
            let (start, left) = start_of_last(&File::open(&path).unwrap(), lines).unwrap();
            assert!(&text[usize::try_from(start).unwrap()..] == last, "{lines} of {} bytes", text.len());
            assert_eq!(left, missing, "{lines} of {} bytes", text.len());
        }
    }

    /// Makes a directory with these two files of a log.
    fn log(former: &str, newest: &str) -> (tempfile::TempDir, JobFiles) {
        let dir = tempfile::tempdir().unwrap();
        let files = StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1));
        crate::files::create_private_dir(files.path()).unwrap();
        for (path, text) in [(files.former_log(), former), (files.log(), newest)] {
            io::Write::write_all(&mut open_private(&path, How::Write).unwrap(), text.as_bytes()).unwrap();
        }
        (dir, files)
    }

    fn rest(log: &mut ManagerLog) -> String {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_last_lines_begin_in_the_former_file_where_the_newest_has_too_few() {
        let (_dir, files) = log("1\n2\n3\n", "4\n5\n");

        for (last, text) in [
            (None, "1\n2\n3\n4\n5\n"),
            (Some(0), ""),
            (Some(1), "5\n"),
            (Some(2), "4\n5\n"),
            (Some(3), "3\n4\n5\n"),
            (Some(9), "1\n2\n3\n4\n5\n"),
        ] {
            assert_eq!(rest(&mut ManagerLog::open(files.clone(), last).unwrap()), text, "{last:?}");
        }
    }

    #[test]
    fn fault_311_a_log_that_is_read_is_read_on_after_it_was_rotated() {
        let (_dir, files) = log("old\n", "1\n");
        let mut reader = ManagerLog::open(files.clone(), Some(1)).unwrap();
        assert_eq!(rest(&mut reader), "1\n");

        for number in 2..4 {
            let mut before = open_private(&files.log(), How::Append).unwrap();
            io::Write::write_all(&mut before, format!("end {number}\n").as_bytes()).unwrap();
            fs::rename(files.log(), files.former_log()).unwrap();
            let mut after = open_private(&files.log(), How::Append).unwrap();
            io::Write::write_all(&mut after, format!("{number}\n").as_bytes()).unwrap();
        }

        assert_eq!(rest(&mut reader), "end 2\n2\nend 3\n3\n");
    }
}
