//! What can be seen of processes that come and go.

use std::io;

use crate::sys::lack::lack_of;

/// Returns what was seen of a process. One that has gone, or is another user's, is not ours; where this process itself
/// lacks something to look with, nobody knows.
pub(super) fn seen<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if lack_of(&error).is_some() => Err(error),
        Err(_) => Ok(None),
    }
}
