//! Processes that a unit leaves behind: its slot is not free, and it is not done, before they have ended.

use std::fs::File;
use std::time::{Duration, Instant};

use super::attempt_end::{failed, not_begun};
use crate::model::{AttemptEnd, Cause, chain};
use crate::sys::{Cookie, Ending, SlotError, SlotFile, any_is_adopted, end_orphans, lack_of};

/// Time in which a slot usually seems taken although nobody is left in it.
const SPAWN_WINDOW: Duration = Duration::from_millis(100);
/// The same on a machine with far more to do than it can; shorter than the time after which a stop gives a worker up.
const BUSY_WINDOW: Duration = Duration::from_secs(4);

/// Time to end well that a process has at least which left the group of an attempt that was ended.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// Time in which what it takes to look for processes may be lacking.
const LACK_WINDOW: Duration = Duration::from_secs(60);

/// Takes the slot's file; whoever of an earlier unit still holds it is ended first.
pub(super) fn occupy(slot: &SlotFile, content: &[u8], grace: Duration) -> Result<File, Box<AttemptEnd>> {
    match take_within(SPAWN_WINDOW, slot, content) {
        Err(SlotError::Occupied(_)) => {}
        taken => return taken.map_err(not_taken),
    }
    end_leftovers(None, slot, grace)?;
    take_within(BUSY_WINDOW, slot, content).map_err(not_taken)
}

fn not_taken(error: SlotError) -> Box<AttemptEnd> {
    Box::new(match &error {
        SlotError::Occupied(_) => failed(Cause::NeedsAttention, chain(&error)),
        SlotError::Io { path, source } => not_begun(&format!("cannot prepare {}", path.display()), source),
    })
}

fn take_within(window: Duration, slot: &SlotFile, content: &[u8]) -> Result<File, SlotError> {
    let asked = Instant::now();
    loop {
        match slot.occupy(content) {
            // A child that another worker is just starting has a copy of every descriptor until its exec.
            Err(SlotError::Occupied(_)) if asked.elapsed() < window => std::thread::sleep(SPAWN_WINDOW / 100),
            taken => return taken,
        }
    }
}

/// Returns `true` if a slot becomes free within the time that a process may take to let go of it.
fn is_vacated(slot: &SlotFile) -> bool {
    let asked = Instant::now();
    loop {
        match slot.is_free() {
            Ok(true) => return true,
            Ok(false) if asked.elapsed() < SPAWN_WINDOW => std::thread::sleep(SPAWN_WINDOW / 100),
            // One that cannot be looked at is looked at again, with its reason, before the next unit gets it.
            Ok(false) | Err(_) => return false,
        }
    }
}

/// Ends what is left of an attempt whose group is gone, where that was forced to end, or shows that something is left.
///
/// It has left the group; its environment still gives it away. Thrown away, the output does not tell whether somebody holds it.
pub(super) fn end_what_is_left(
    ending: &Ending,
    captured: bool,
    own: Cookie<'_>,
    slot: &SlotFile,
    grace: Duration,
) -> Result<(), Box<AttemptEnd>> {
    let shows = || ending.leaked || (!captured && !is_vacated(slot));
    match ending.grace_left {
        // Where that cannot be seen, there may be somebody.
        Some(left) if any_is_adopted().unwrap_or(true) => {
            end_leftovers(Some(own), slot, left.max(LAST_GRACE).min(grace))
        }
        _ if shows() => end_leftovers(Some(own), slot, grace),
        _ => Ok(()),
    }
}

/// Ends processes that a unit left behind; a unit is not done, and its slot not free, as long as one of them lives.
pub(super) fn end_leftovers(
    cookie: Option<Cookie<'_>>,
    slot: &SlotFile,
    grace: Duration,
) -> Result<(), Box<AttemptEnd>> {
    let asked = Instant::now();
    let attention = |error| Err(Box::new(failed(Cause::NeedsAttention, error)));
    loop {
        match end_orphans(cookie, slot.path(), grace) {
            Ok(orphans) if orphans.left.is_empty() => return Ok(()),
            Ok(_) => return attention("a process it left behind cannot be ended".to_owned()),
            // Other units end, and with them what it takes to look.
            Err(error) if lack_of(&error).is_some() && asked.elapsed() < LACK_WINDOW => {
                std::thread::sleep(SPAWN_WINDOW);
            }
            Err(error) => return attention(format!("cannot end processes it left behind: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_only_a_child_before_its_exec_holds_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let slot = SlotFile::at(dir.path().join("0"));
        let held = slot.occupy(b"").unwrap();

        let taken = std::thread::scope(|threads| {
            threads.spawn(move || {
                std::thread::sleep(SPAWN_WINDOW * 5);
                drop(held);
            });
            occupy(&slot, b"next", Duration::from_secs(1))
        });

        assert!(taken.is_ok(), "{taken:?}");
    }
}
