//! How much of the machine is left: memory, processors, space on disks.
//!
//! Inside a control group its limits count, of version 2 and of version 1: of the memory what is left of the smallest
//! limit on the way up, of the processors the share that its quota allows. A group's cached files that nobody used lately do
//! not count as used, because the kernel drops them first. Known weakness: without a quota the runnable processes are those of the
//! whole machine, also where only a few of its processors may be used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk_of;

const GROUPS: &str = "sys/fs/cgroup";
/// Limits from here on are those of a group without a limit.
const NO_LIMIT: u64 = 1 << 60;

/// A machine, by its `/proc` and `/sys`.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

/// How busy the processors are at this moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Threads that run or want to, without those of this process.
    pub runnable: u64,
    /// Processors that this process may use.
    pub processors: f64,
}

/// A control group that this process is in, or one above it.
struct Group {
    dir: PathBuf,
    is_v2: bool,
}

impl Machine {
    /// Returns this machine.
    pub fn this() -> Self {
        Self { root: PathBuf::from("/") }
    }

    /// Returns the bytes of memory that are available to this process.
    pub fn available_memory(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.root.join("proc/meminfo"))?;
        let kib = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB"));
        let of_machine: u64 = number(kib.ok_or_else(|| unknown("MemAvailable in /proc/meminfo"))?)?;
        let mut available = of_machine.saturating_mul(1024);
        for group in self.groups("memory")? {
            if let Some(left) = group.memory_left()? {
                available = available.min(left);
            }
        }
        Ok(available)
    }

    /// Returns how busy the processors are; own threads are distinguished only where there are `enough` runnable ones.
    pub fn load(&self, is_enough: impl Fn(&Load) -> bool) -> io::Result<Load> {
        let (mut processors, mut limited) = (self.allowed_processors()?, None);
        for group in self.groups("cpu")? {
            if let Some(quota) = group.quota()?.filter(|quota| *quota < processors) {
                (processors, limited) = (quota, Some(group));
            }
        }
        if let Some(group) = limited {
            return Ok(Load { runnable: self.runnable_in(&group.dir)?, processors });
        }
        let text = fs::read_to_string(self.root.join("proc/loadavg"))?;
        let runnable = text.split_ascii_whitespace().nth(3).and_then(|field| field.split_once('/'));
        let all: u64 = number(runnable.ok_or_else(|| unknown("the runnable threads in /proc/loadavg"))?.0)?;
        // The thread that reads this runs.
        let load = Load { runnable: all.saturating_sub(1), processors };
        if !is_enough(&load) {
            return Ok(load);
        }
        let own = self.own_threads()?.iter().filter(|thread| self.is_runnable(thread)).count() as u64;
        Ok(Load { runnable: all.saturating_sub(own.max(1)), processors })
    }

    /// Returns the bytes that may still be written to the file system of a path.
    #[expect(clippy::unused_self, reason = "a disk is asked for by the path as it is")]
    pub fn free_space(&self, path: &Path) -> io::Result<u64> {
        disk_of(path).map(|disk| disk.free_bytes)
    }

    /// Returns how many processors this process may run on.
    fn allowed_processors(&self) -> io::Result<f64> {
        let text = fs::read_to_string(self.root.join("proc/self/status"))?;
        let list = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let mut count = 0;
        for part in list.ok_or_else(|| unknown("Cpus_allowed_list in /proc/self/status"))?.trim().split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            count += number(last)?.saturating_sub(number(first)?) + 1;
        }
        Ok(count as f64)
    }

    /// Counts the runnable threads of a group and those below it, without our own.
    fn runnable_in(&self, dir: &Path) -> io::Result<u64> {
        let own = self.own_threads()?;
        let mut count = 0;
        let mut dirs = vec![dir.to_owned()];
        while let Some(dir) = dirs.pop() {
            let threads = match read_if_there(&dir.join("cgroup.threads"))? {
                Some(threads) => threads,
                None => read_if_there(&dir.join("tasks"))?.unwrap_or_default(),
            };
            count +=
                threads.lines().filter(|id| !own.iter().any(|own| own == id) && self.is_runnable(id)).count() as u64;
            // A group that goes meanwhile has nothing that runs.
            let below = fs::read_dir(&dir).into_iter().flatten().flatten();
            dirs.extend(
                below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
            );
        }
        Ok(count)
    }

    /// Returns the numbers of this process's threads.
    fn own_threads(&self) -> io::Result<Vec<String>> {
        let threads = fs::read_dir(self.root.join("proc/self/task"))?;
        Ok(threads.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// Returns `true` if a thread runs or wants to; one that has gone does not.
    fn is_runnable(&self, thread: &str) -> bool {
        let stat = fs::read_to_string(self.root.join("proc").join(thread).join("stat")).unwrap_or_default();
        // The name may hold blanks and parentheses.
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
    }

    /// Returns the groups of a controller from the one of this process up to the outermost that can be seen.
    fn groups(&self, controller: &str) -> io::Result<Vec<Group>> {
        let mounts = self.root.join(GROUPS);
        let unified = if mounts.join("cgroup.controllers").exists() { mounts.clone() } else { mounts.join("unified") };
        let mut groups = Vec::new();
        for line in read_if_there(&self.root.join("proc/self/cgroup"))?.unwrap_or_default().lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let is_v2 = controllers.is_empty();
            if !is_v2 && !controllers.split(',').any(|name| name == controller) {
                continue;
            }
            let mount = if is_v2 { unified.clone() } else { mounts.join(controller) };
            let own = mount.join(path.trim_start_matches('/'));
            let dirs = own.ancestors().take_while(|dir| dir.starts_with(&mount));
            // Inside a container the path may be that of the host; the mount itself is the container's then.
            groups.extend(dirs.map(|dir| Group { dir: dir.to_owned(), is_v2 }));
        }
        Ok(groups)
    }
}

impl Group {
    /// Returns what is left of the group's memory, if it has a limit.
    fn memory_left(&self) -> io::Result<Option<u64>> {
        let (limits, usage, cached): (&[&str], _, _) = if self.is_v2 {
            (&["memory.max", "memory.high"], "memory.current", "inactive_file ")
        } else {
            (&["memory.limit_in_bytes"], "memory.usage_in_bytes", "total_inactive_file ")
        };
        let mut limit = NO_LIMIT;
        for name in limits {
            match read_if_there(&self.dir.join(name))?.as_deref().map(str::trim) {
                None | Some("max") => {}
                Some(text) => limit = limit.min(number(text)?),
            }
        }
        if limit >= NO_LIMIT {
            return Ok(None);
        }
        let used = number(&fs::read_to_string(self.dir.join(usage))?)?;
        let stat = read_if_there(&self.dir.join("memory.stat"))?.unwrap_or_default();
        let cached = stat.lines().find_map(|line| line.strip_prefix(cached)).map(number).transpose()?.unwrap_or(0);
        Ok(Some(limit.saturating_sub(used.saturating_sub(cached))))
    }

    /// Returns how many processors the group may use, if it has a limit.
    fn quota(&self) -> io::Result<Option<f64>> {
        let (quota, period) = if self.is_v2 {
            let Some(text) = read_if_there(&self.dir.join("cpu.max"))? else { return Ok(None) };
            let (quota, period) = text.trim().split_once(' ').ok_or_else(|| unknown("the quota in cpu.max"))?;
            (quota.to_owned(), period.to_owned())
        } else {
            match read_if_there(&self.dir.join("cpu.cfs_quota_us"))? {
                Some(quota) if quota.trim() != "-1" => (quota, fs::read_to_string(self.dir.join("cpu.cfs_period_us"))?),
                _ => return Ok(None),
            }
        };
        if quota == "max" {
            return Ok(None);
        }
        Ok(Some(number(&quota)? as f64 / number(&period)?.max(1) as f64))
    }
}

fn read_if_there(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(text: &str) -> io::Result<u64> {
    text.trim().parse().map_err(|_| unknown(&format!("the number {text:?}")))
}

fn unknown(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("cannot find {what}"))
}

#[cfg(test)]
mod tests;
