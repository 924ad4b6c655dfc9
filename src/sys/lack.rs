//! What this process has too little of to start one more unit, and how many more threads it may have.

use std::fs::File;
use std::io;
use std::sync::RwLock;
use std::thread;

use nix::errno::Errno;

use super::inherited::null_output;
use crate::model::Lack;

/// Returns what was lacking when something could not be opened, started or written; `None` for any other reason.
pub fn lack_of(error: &io::Error) -> Option<Lack> {
    Some(match Errno::from_raw(error.raw_os_error()?) {
        Errno::EMFILE | Errno::ENFILE => Lack::OpenFiles,
        Errno::EAGAIN => Lack::Processes,
        Errno::ENOMEM => Lack::Memory,
        Errno::ENOSPC | Errno::EDQUOT => Lack::Space,
        _ => return None,
    })
}

/// Returns how many of `wanted` more threads can live at the same time, and why no more: starts them and ends them.
///
/// A thread counts as a process does, for the limit of a user and for that of a control group.
pub fn spare_threads(wanted: usize) -> (usize, Option<io::Error>) {
    let gate = RwLock::new(());
    let (mut started, mut refused) = (0, None);
    thread::scope(|threads| {
        let all_tried = gate.write();
        while started < wanted && refused.is_none() {
            match thread::Builder::new().spawn_scoped(threads, || drop(gate.read())) {
                Ok(_) => started += 1,
                Err(error) => refused = Some(error),
            }
        }
        drop(all_tried);
    });
    (started, refused)
}

/// Fails when this process cannot have `threads` more threads or `files` more open files.
pub fn expect_room(threads: usize, files: usize) -> io::Result<()> {
    let open: Vec<File> = (0..files).map(|_| null_output()).collect::<io::Result<_>>()?;
    drop(open);
    spare_threads(threads).1.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_is_told_from_a_mistake() {
        let lack = |errno: Errno| lack_of(&errno.into());

        assert_eq!(lack(Errno::EMFILE), Some(Lack::OpenFiles));
        assert_eq!(lack(Errno::EAGAIN), Some(Lack::Processes));
        assert_eq!(lack(Errno::ENOENT), None);
        assert_eq!(lack_of(&io::Error::other("no number")), None);
    }

    #[test]
    fn as_many_threads_as_are_wanted_live_at_the_same_time() {
        assert!(matches!(spare_threads(20), (20, None)));
    }
}
