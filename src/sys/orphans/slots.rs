//! Files of slots that other processes have open.
//!
//! A file is known by what it is, and not by its name alone: another container may have the same names for its own files.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::seen::seen;

/// Returns `true` if a process has an open file below `slots` whose exclusive lock it keeps; whoever merely reads such a
/// file, or looks whether it is free, has none.
pub(super) fn keeps_lock(pid: i32, slots: &Path) -> io::Result<bool> {
    let Some(open) = seen(fs::read_dir(format!("/proc/{pid}/fd")))? else { return Ok(false) };
    for descriptor in open {
        let Some(descriptor) = seen(descriptor)? else { continue };
        if !is_below(pid, &descriptor.path(), slots)? {
            continue;
        }
        let about = Path::new("/proc").join(pid.to_string()).join("fdinfo").join(descriptor.file_name());
        let about = seen(fs::read_to_string(about))?.unwrap_or_default();
        if about.lines().any(|line| line.contains("FLOCK") && line.contains("WRITE")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns `true` if a descriptor of a process, given as its link, is that of a file which is `slots` or lies below it.
///
/// The link names the file as the process sees it: in another container that may be the name of another file.
pub(super) fn is_below(pid: i32, descriptor: &Path, slots: &Path) -> io::Result<bool> {
    let Some(name) = seen(fs::read_link(descriptor))?.filter(|name| name.starts_with(slots)) else { return Ok(false) };
    match fs::metadata(&name) {
        Ok(ours) => {
            let theirs = seen(fs::metadata(descriptor))?;
            Ok(theirs.is_some_and(|theirs| (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino())))
        }
        // It was deleted, or is a name that means nothing here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mounts = |process: &str| seen(fs::read_link(format!("/proc/{process}/ns/mnt")));
            Ok(mounts(&pid.to_string())? == mounts("self")?)
        }
        Err(error) => Err(error),
    }
}
