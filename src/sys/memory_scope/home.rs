//! Where groups of attempts can be made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{MemoryScope, Version};

/// What the names of groups begin with.
const PREFIX: &str = "job-manager-unit-";

/// A place for groups of attempts.
#[derive(Debug, Clone)]
pub struct MemoryHome {
    dir: PathBuf,
    version: Version,
}

/// Why there is no place for groups of attempts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryHomeError {
    /// The system does not say in which groups this process is.
    #[error("cannot read which control group this process is in")]
    Unread(#[source] io::Error),
    /// The system has none that count memory.
    #[error("this process is in no control group that counts memory")]
    None,
    /// This user may not make any, or the system does not let anybody do that there.
    #[error("cannot make a control group with a limit of memory in {}", dir.display())]
    Refused {
        /// Where it was tried last.
        dir: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl MemoryHome {
    /// Finds a place, and shows that it is one by making a group.
    pub fn find() -> Result<MemoryHome, MemoryHomeError> {
        let read = |file| fs::read_to_string(file).map_err(MemoryHomeError::Unread);
        let mut last = MemoryHomeError::None;
        for home in candidates(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?) {
            match home.attempt() {
                Ok(()) => return Ok(home),
                Err(source) => last = MemoryHomeError::Refused { dir: home.dir, source },
            }
        }
        Err(last)
    }

    /// Makes a group for a slot of a job, all of whose processes together may have so many bytes.
    pub fn scope(&self, job: &str, slot: usize, bytes: u64) -> io::Result<MemoryScope> {
        MemoryScope::make(self.dir.join(format!("{PREFIX}{job}-{slot}")), self.version, bytes)
    }

    /// Removes the groups that a manager of a job has left when it died, as far as nobody is in them.
    pub fn sweep(&self, job: &str) {
        let begin = format!("{PREFIX}{job}-");
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
                // One in which a process is left is looked at again with its slot.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }

    fn attempt(&self) -> io::Result<()> {
        if self.version == Version::Two {
            // Whoever moves a process needs the right to write here, besides that to make groups.
            fs::File::options().write(true).open(self.dir.join("cgroup.procs"))?;
        }
        // As much as no process reaches.
        self.scope("try", std::process::id() as usize, 1 << 40).map(drop)
    }
}

/// Returns the places where groups could be made, the nearest first.
fn candidates(cgroup: &str, mountinfo: &str) -> Vec<MemoryHome> {
    let mut found = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if number == "0" && controllers.is_empty() {
            let Some((mount, dir)) = place(path, mountinfo, "cgroup2", None) else { continue };
            // No group has both processes and groups with limits, except where the system begins.
            let has_limits = |dir: &Path| {
                let below = fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap_or_default();
                below.split_ascii_whitespace().any(|one| one == "memory")
            };
            let places = dir.ancestors().take_while(|dir| dir.starts_with(&mount)).filter(|dir| has_limits(dir));
            found.extend(places.map(|dir| MemoryHome { dir: dir.to_owned(), version: Version::Two }));
        } else if controllers.split(',').any(|one| one == "memory") {
            let place = place(path, mountinfo, "cgroup", Some("memory"));
            found.extend(place.map(|(_, dir)| MemoryHome { dir, version: Version::One }));
        }
    }
    found
}

/// Returns where a hierarchy is mounted, and the directory of a group of it.
fn place(group: &str, mountinfo: &str, kind: &str, option: Option<&str>) -> Option<(PathBuf, PathBuf)> {
    mountinfo.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut of_mount = mount.split(' ').skip(3);
        let (root, point) = (of_mount.next()?, of_mount.next()?);
        let mut of_system = file_system.split(' ');
        let is_it = of_system.next()? == kind
            && option.is_none_or(|option| of_system.nth(1).is_some_and(|all| all.split(',').any(|one| one == option)));
        // What is mounted may begin below the root, as in a container.
        let below = Path::new(group).strip_prefix(root).ok().filter(|_| is_it)?;
        Some((PathBuf::from(point), Path::new(point).join(below)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 /box /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

    #[test]
    fn the_place_of_version_one_is_the_group_of_this_process_below_what_is_mounted() {
        let found = candidates("4:memory:/box/of/us\n3:cpuset:/\n0::/\n", MOUNTS);
        let outside = candidates("4:memory:/elsewhere\n0::/\n", MOUNTS);

        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].dir.to_str(), found[0].version), (Some("/sys/fs/cgroup/memory/of/us"), Version::One));
        assert!(outside.is_empty(), "{outside:?}");
    }

    #[test]
    fn the_place_of_version_two_is_the_nearest_group_whose_groups_have_limits_of_memory() {
        let dir = tempfile::tempdir().unwrap();
        let (mount, own) = (dir.path(), dir.path().join("user/app/run.scope"));
        fs::create_dir_all(&own).unwrap();
        for (group, below) in
            [("", "cpu memory"), ("user", "memory pids"), ("user/app", "pids memory"), ("user/app/run.scope", "")]
        {
            fs::write(mount.join(group).join("cgroup.subtree_control"), below).unwrap();
        }
        let mounts = format!("41 31 0:38 / {} rw,relatime - cgroup2 cgroup2 rw", mount.display());

        let found: Vec<PathBuf> =
            candidates("0::/user/app/run.scope\n", &mounts).into_iter().map(|home| home.dir).collect();

        assert_eq!(found, [mount.join("user/app"), mount.join("user"), mount.to_owned()]);
    }
}
