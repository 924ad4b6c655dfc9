//! Limits of memory, refused where they cannot hold.

use std::path::Path;

use super::LimitError;
use crate::handler::COMMAND;
use crate::model::Limits;
use crate::store::is_on_server;
use crate::sys::MemoryHome;

/// Refuses a limit of memory that units of that handler could not have, or that would never grow as it says.
///
/// ```
/// use job_manager::model::Limits;
///
/// assert!(job_manager::client::check_memory("jobs.db".as_ref(), "command", &Limits::default()).is_ok());
/// let mut limits = Limits::default();
/// limits.memory = Some("4G..16G".parse()?);
/// assert!(job_manager::client::check_memory("jobs.db".as_ref(), "shrink", &limits).is_err(), "it is no command");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As said; of jobs in a database on a server each manager finds out on its own host whether memory can be limited there.
pub fn check_memory(database: &Path, handler: &str, limits: &Limits) -> Result<(), LimitError> {
    check(is_on_server(database), handler, limits)
}

/// Refuses it, where that much is known of the database.
pub(super) fn check(on_server: bool, handler: &str, limits: &Limits) -> Result<(), LimitError> {
    match limits.memory {
        None => Ok(()),
        Some(_) if handler != COMMAND => Err(LimitError::MemoryOfHandler { handler: handler.to_owned() }),
        Some(sizes) if limits.max_attempts == 1 && sizes.may_grow() => Err(LimitError::MemoryNeverGrows),
        // Each manager finds that out on its own host.
        Some(_) if on_server => Ok(()),
        Some(_) => MemoryHome::find().map(drop).map_err(LimitError::NoMemoryLimit),
    }
}
