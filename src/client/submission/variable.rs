//! Variables as they are given: NAME or NAME=VALUE.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Returns name and value of a variable that is given with one.
pub(super) fn split(variable: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = variable.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..])))
}

/// Returns the name of a variable that is given as NAME or NAME=TEMPLATE.
pub(super) fn name_of(variable: &OsStr) -> &OsStr {
    split(variable).map_or(variable, |(name, _)| name)
}
