//! A control group for each attempt, which limits the memory of all its processes together.
//!
//! It stands below the group of the manager, or beside that where version 2 of control groups lets no group have both processes and
//! limited groups; limits from above hold on. `posix_spawn` starts a process in the group of its parent only. So the first program of
//! an attempt is this one, which moves itself into the group and becomes the command: whatever that starts is in the group too.
//!
//! Known weakness: what the kernel keeps of files for an attempt counts as its memory, as in every control group.

mod home;
mod join;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use home::{MemoryHome, MemoryHomeError};
pub use join::join_if_asked;
pub(super) use join::joining;

/// Times that an emptied group is tried to be removed, and the time between two: the kernel takes a moment to forget a process.
const REMOVALS: (u32, Duration) = (50, Duration::from_millis(5));

/// The two versions of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// Returns the files with the limit, in the order in which they are written; the second may be missing where nothing is swapped.
    fn limits(self) -> [&'static str; 2] {
        match self {
            Self::One => ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"],
            Self::Two => ["memory.max", "memory.swap.max"],
        }
    }

    /// Returns the file with the most memory that was used, and the one with the number of ends by the kernel.
    fn figures(self) -> [&'static str; 2] {
        match self {
            Self::One => ["memory.max_usage_in_bytes", "memory.oom_control"],
            Self::Two => ["memory.peak", "memory.events"],
        }
    }
}

/// The group of one attempt; gone when it is dropped, unless somebody is left in it.
#[derive(Debug)]
pub struct MemoryScope {
    dir: PathBuf,
    version: Version,
}

/// What the kernel says of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySeen {
    /// Most memory that all its processes had together; older kernels of version 2 do not say.
    pub peak: Option<u64>,
    /// Whether one of them was ended because they wanted more.
    pub was_short: bool,
}

impl MemoryScope {
    fn make(dir: PathBuf, version: Version, bytes: u64) -> io::Result<MemoryScope> {
        match fs::create_dir(&dir) {
            // The manager before this one died, and what it ran has been ended.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove(&dir)?;
                fs::create_dir(&dir)?;
            }
            made => made?,
        }
        let scope = MemoryScope { dir, version };
        let [limit, swap] = version.limits();
        scope.write(limit, bytes)?;
        // Version 1 limits memory and swap together, version 2 the swap alone.
        match scope.write(swap, if version == Version::One { bytes } else { 0 }) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(scope),
        }
    }

    fn write(&self, file: &str, number: u64) -> io::Result<()> {
        write_existing(&self.dir.join(file), number)
    }

    /// Returns the file that a process writes itself into to become one of the group.
    pub fn processes(&self) -> PathBuf {
        self.dir.join("cgroup.procs")
    }

    /// Says what has become of the processes of the group so far.
    pub fn look(&self) -> io::Result<MemorySeen> {
        let [peak, events] = self.version.figures().map(|file| fs::read_to_string(self.dir.join(file)));
        let killed = events?.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok());
        Ok(MemorySeen {
            peak: peak.ok().and_then(|text| text.trim().parse().ok()),
            was_short: killed.is_some_and(|killed| killed > 0),
        })
    }
}

impl Drop for MemoryScope {
    fn drop(&mut self) {
        // One that stays is removed by the next attempt of the same slot, or the next manager.
        let _ = remove(&self.dir);
    }
}

/// Writes into a file of the kernel, which makes none of its own accord.
fn write_existing(path: &Path, number: u64) -> io::Result<()> {
    use std::io::Write;
    fs::File::options().write(true).open(path)?.write_all(number.to_string().as_bytes())
}

fn remove(dir: &Path) -> io::Result<()> {
    let (times, pause) = REMOVALS;
    for _ in 1..times {
        match fs::remove_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(pause),
            removed => return removed,
        }
    }
    fs::remove_dir(dir)
}
