//! Which unit each worker slot is running, noted where the death of the process cannot take it.
//!
//! A note is one store into a mapped file: it costs nanoseconds, and the page outlives a kill of its writer, though
//! not a power cut. It tells the next manager which units ran in the instant of a death even when their start had
//! not been committed yet, so that a unit that kills its manager is found out.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::files::{How, open_private};

/// The notes of one job's slots, mapped; 0 says that a slot is idle.
#[derive(Debug)]
pub struct SlotNotes {
    notes: NonNull<AtomicU64>,
    slots: usize,
}

// SAFETY: the mapping is shared memory of atomics and belongs to no thread.
unsafe impl Send for SlotNotes {}
// SAFETY: as above; all access is atomic.
unsafe impl Sync for SlotNotes {}

impl SlotNotes {
    /// Opens the notes at `path`, keeping those of an earlier process; the file is made if there is none.
    pub fn open(path: &Path, slots: usize) -> io::Result<SlotNotes> {
        let length = slots * size_of::<AtomicU64>();
        let mut file: File = open_private(path, How::Write)?;
        let present = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if present < length {
            // Written and not merely extended: a store into a hole of the file would kill us when the disk is full.
            io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
            file.write_all(&vec![0; length - present])?;
        }
        // SAFETY: the file is at least as long as the mapping, and nobody shortens it while the job's lock is held.
        let address = unsafe {
            mmap(std::ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0)?
        };
        let notes = NonNull::new(address.cast()).expect("mmap does not return null");
        Ok(SlotNotes { notes, slots })
    }

    /// Notes what a slot does from now on.
    pub fn set(&self, slot: usize, note: u64) {
        self.all()[slot].store(note, Ordering::Release);
    }

    /// Returns the notes of all slots.
    pub fn read(&self) -> Vec<u64> {
        self.all().iter().map(|note| note.load(Ordering::Acquire)).collect()
    }

    /// Makes every slot idle.
    pub fn clear(&self) {
        self.all().iter().for_each(|note| note.store(0, Ordering::Release));
    }

    fn all(&self) -> &[AtomicU64] {
        // SAFETY: the mapping holds that many aligned words and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.notes.as_ptr(), self.slots) }
    }
}

impl Drop for SlotNotes {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `open` with this length, and no borrow of it can outlive `self`.
        let unmapped = unsafe { munmap(self.notes.as_ptr().cast(), self.slots * size_of::<AtomicU64>()) };
        debug_assert!(unmapped.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_there_when_the_file_is_opened_again_with_more_slots() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes");
        SlotNotes::open(&path, 2).unwrap().set(1, 77);

        let again = SlotNotes::open(&path, 4).unwrap();

        assert_eq!(again.read(), [0, 77, 0, 0]);
    }
}
