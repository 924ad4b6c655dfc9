//! The program that this process runs.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Returns a path by which the running executable can be started again, also after an upgrade replaced its file.
pub fn own_executable() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// Returns where the running executable was, for whoever has to start it again later.
pub fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    // What the kernel says of a file that an upgrade has replaced; the new one is in its place.
    let bytes = path.as_os_str().as_bytes();
    Ok(bytes.strip_suffix(b" (deleted)").map_or_else(|| path.clone(), |path| OsStr::from_bytes(path).into()))
}
