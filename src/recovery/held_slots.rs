//! Slots that somebody holds.

use super::error::RecoveryError;
use crate::handler::JobContext;
use crate::sys::SlotFile;

/// Returns the numbers of the slots that somebody holds.
pub(super) fn held_slots(job: &JobContext) -> Result<Vec<usize>, RecoveryError> {
    let entries = std::fs::read_dir(job.files.slots()).map_err(RecoveryError::system("list the job's slots"))?;
    let mut held = Vec::new();
    for entry in entries {
        let entry = entry.map_err(RecoveryError::system("list the job's slots"))?;
        let is_free = SlotFile::at(entry.path()).is_free().map_err(RecoveryError::system("look at the job's slots"))?;
        // Results that are spooled beside the slots are locked by nobody.
        if !is_free && let Some(slot) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            held.push(slot);
        }
    }
    Ok(held)
}
