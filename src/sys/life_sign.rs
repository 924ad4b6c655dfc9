//! The pipe by which commands of a unit tell their manager that they are alive.
//!
//! It has a name, so that a command needs nothing but a variable to find it, and whoever waits for the unit's output waits for
//! this too. A byte in it says only that somebody is there.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mknodat, open};
use rustix::io::Errno;

/// The end of the pipe that is listened to; both ends are open here, so that it has no end as long as this lives.
#[derive(Debug)]
pub struct LifeSign(File);

impl LifeSign {
    /// Makes the pipe unless it is there, and listens; the directory is ours alone.
    pub fn listen(path: &Path) -> io::Result<LifeSign> {
        match mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let pipe = open(path, OFlags::RDWR | options(), Mode::empty())?;
        refuse_other(&pipe)?;
        Ok(LifeSign(pipe.into()))
    }

    /// Takes what was said so far.
    pub(super) fn hear(&self) {
        let mut said = [0; 512];
        // Nothing hangs on the rest: it is heard with the next look.
        let _ = (&self.0).read(&mut said);
    }
}

impl AsFd for LifeSign {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Says that a unit is alive, to whoever listens; where nobody does, nothing happens.
pub fn show_life(path: &Path) {
    // A full pipe says as much as this would have said.
    let _ = open(path, OFlags::WRONLY | options(), Mode::empty()).and_then(|pipe| {
        refuse_other(&pipe)?;
        rustix::io::write(&pipe, b"!")
    });
}

fn options() -> OFlags {
    OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW
}

/// Refuses what has the name of the pipe and is something else.
fn refuse_other(pipe: impl AsFd) -> rustix::io::Result<()> {
    match FileType::from_raw_mode(fstat(pipe)?.st_mode) {
        FileType::Fifo => Ok(()),
        _ => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_goes_to_whoever_listens_and_to_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, file) = (dir.path().join("alive"), dir.path().join("file"));
        std::fs::write(&file, "").unwrap();

        show_life(&pipe);
        show_life(&file);
        let listening = LifeSign::listen(&pipe).unwrap();
        show_life(&pipe);

        let mut said = [0; 8];
        assert_eq!((&listening.0).read(&mut said).unwrap(), 1);
        assert!(LifeSign::listen(&file).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"");
    }
}
