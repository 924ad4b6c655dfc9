//! Slots that somebody holds.

use std::fs;

use super::error::RecoveryError;
use super::said::clear_words;
use crate::files::remove_private_dir;
use crate::handler::JobContext;
use crate::sys::SlotFile;

/// Returns the numbers of the slots that somebody holds.
pub(super) fn held_slots(job: &JobContext) -> Result<Vec<usize>, RecoveryError> {
    let entries = fs::read_dir(job.files.slots()).map_err(RecoveryError::system("list the job's slots"))?;
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

/// Removes the slots of a job and their notes, which only running units need, unless a process holds a slot.
pub fn clear_slots(job: &JobContext) -> Result<(), RecoveryError> {
    if held_slots(job)?.is_empty() {
        remove_private_dir(&job.files.slots()).map_err(RecoveryError::system("remove the job's slots"))?;
        remove_private_dir(&job.files.attempts()).map_err(RecoveryError::system("remove what attempts were given"))?;
        fs::remove_file(job.files.notes()).map_err(RecoveryError::system("remove the notes of the slots"))?;
        clear_words(job).map_err(RecoveryError::system("remove what units have said"))?;
    }
    Ok(())
}
