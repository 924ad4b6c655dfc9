//! Processes that units left behind and that became children of the manager when their parents ended: reaped here,
//! or a large batch would fill the process table with zombies.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// The ended children of the main thread, which starts none itself: only adopted ones appear there.
#[derive(Debug)]
pub struct Adopted {
    ended: HashSet<i32>,
    adopting: bool,
}

impl Adopted {
    /// Prepares to look; in a process that adopts nobody there will be nothing to reap.
    pub fn new() -> io::Result<Self> {
        Ok(Self { ended: HashSet::new(), adopting: nix::sys::prctl::get_child_subreaper()? })
    }

    /// Reaps the adopted children that had ended at the last look already, and returns how many those were.
    ///
    /// One look later, so that a handler which did start a process from the main thread has had the time to wait for
    /// it itself.
    pub fn reap(&mut self) -> io::Result<usize> {
        if !self.adopting {
            return Ok(0);
        }
        let main = std::process::id();
        let children = match fs::read_to_string(format!("/proc/self/task/{main}/children")) {
            Ok(children) => children,
            // A kernel without this list.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let before = std::mem::take(&mut self.ended);
        let mut reaped = 0;
        for pid in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            let Some(child) = Pid::from_raw(pid) else { continue };
            let looks_only = if before.contains(&pid) { WaitIdOptions::empty() } else { WaitIdOptions::NOWAIT };
            match waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | looks_only) {
                Ok(Some(_)) if before.contains(&pid) => reaped += 1,
                Ok(Some(_)) => {
                    self.ended.insert(pid);
                }
                Ok(None) | Err(rustix::io::Errno::CHILD) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(reaped)
    }
}
