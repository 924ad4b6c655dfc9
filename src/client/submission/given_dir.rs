//! A directory of a user's choice that is made for a job, and taken back if there is no job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::create_given_dir;

/// Directories that were made; removed again unless they are kept. What somebody has put something into stays.
pub(super) struct GivenDir {
    /// Those that were not there before, the innermost first.
    made: Vec<PathBuf>,
}

impl GivenDir {
    /// Makes a directory and those it lies in.
    pub fn create(dir: &Path) -> io::Result<GivenDir> {
        let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && dir.symlink_metadata().is_err();
        // Also what was made before one of them could not be is removed.
        let given = GivenDir { made: dir.ancestors().take_while(is_missing).map(Path::to_owned).collect() };
        create_given_dir(dir).map(|()| given)
    }

    /// Leaves them where they are.
    pub fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for GivenDir {
    fn drop(&mut self) {
        for dir in &self.made {
            // One that is not empty, or gone already, is somebody else's by now.
            let _ = fs::remove_dir(dir);
        }
    }
}
