//! What is left of a unit when its main process has ended: others of its group, and those that have left the group.
//!
//! A manager adopts what its units leave behind, so that it need look at its own adopted children and theirs only; where
//! it adopts nobody it looks at all processes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use super::inherited::opening;

/// Times that a list of children is read before it is given up.
const READS: usize = 100;

/// Whether processes that have not ended match, as far as can be seen.
fn any(is_wanted: impl Fn(&Brief) -> bool) -> io::Result<bool> {
    let _opening = opening();
    let candidates = match adopted()? {
        Some(adopted) => adopted,
        None => all()?,
    };
    Ok(candidates.into_iter().filter_map(Brief::of).any(|process| !process.has_ended() && is_wanted(&process)))
}

/// Returns `true` if a process besides its leader is in a group and has not ended.
pub fn has_others(leader: i32) -> io::Result<bool> {
    any(|process| process.group == leader && process.pid != leader)
}

/// Returns `true` if processes live that units have left behind, whichever units.
pub fn any_is_adopted() -> io::Result<bool> {
    any(|_| true)
}

/// What is looked at of a process.
struct Brief {
    pid: i32,
    state: char,
    group: i32,
}

impl Brief {
    /// Reads it; none of a process that is gone.
    fn of(pid: i32) -> Option<Brief> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may itself hold spaces and brackets.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let group = fields.nth(1)?.parse().ok()?;
        Some(Brief { pid, state, group })
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Returns the adopted children of this process and all that descend from them; none where it adopts nobody.
///
/// Adopted children are those of the main thread, which starts none itself; children of other threads are units.
fn adopted() -> io::Result<Option<Vec<i32>>> {
    if !nix::sys::prctl::get_child_subreaper()? {
        return Ok(None);
    }
    let main = std::process::id();
    let of_main = || children(&format!("/proc/self/task/{main}/children"));
    match descendants(of_main, children_of) {
        // A kernel without this list.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Returns the adopted children and all that descend from them.
///
/// One that ends meanwhile hands its children on, to a list that may have been read before: whoever is found is looked
/// for until a walk finds nobody new.
fn descendants(
    adopted: impl Fn() -> io::Result<Vec<i32>>,
    children_of: impl Fn(i32) -> Vec<i32>,
) -> io::Result<Vec<i32>> {
    let mut found = HashSet::new();
    for _ in 0..READS {
        let (mut next, mut seen, before) = (adopted()?, HashSet::new(), found.len());
        while let Some(pid) = next.pop() {
            if seen.insert(pid) {
                next.extend(children_of(pid));
            }
        }
        found.extend(seen);
        if found.len() == before {
            return Ok(found.into_iter().collect());
        }
    }
    Err(io::Error::other("processes start and end too fast to be looked at"))
}

/// Returns the children of a process; none of one that is gone.
fn children_of(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().map(|thread| format!("{}/children", thread.path().display()));
    lists.flat_map(|list| children(&list).unwrap_or_default()).collect()
}

/// Reads a list of children.
///
/// The kernel skips one where the one before it was reaped while the list was read: a list counts when all that are in
/// it are there still.
fn children(path: &str) -> io::Result<Vec<i32>> {
    for _ in 0..READS {
        let list = fs::read_to_string(path)?;
        let children: Vec<i32> = list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        if children.iter().all(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
            return Ok(children);
        }
    }
    Err(io::Error::other(format!("{path} changes too fast to be read")))
}

fn all() -> io::Result<Vec<i32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn no_child_is_missing_from_the_list_while_others_end() {
        let thread = nix::unistd::gettid();
        let spawn = |program: &str| Command::new(program).arg("600").spawn().unwrap();
        for _ in 0..100 {
            let mut others: Vec<_> = (0..20).map(|_| spawn("true")).collect();
            let mut last = spawn("sleep");
            let pid = i32::try_from(last.id()).unwrap();

            let is_missing = std::thread::scope(|threads| {
                let reaped = threads.spawn(|| others.iter_mut().all(|other| other.wait().unwrap().success()));
                let mut is_missing = false;
                while !reaped.is_finished() {
                    is_missing |= !children(&format!("/proc/self/task/{thread}/children")).unwrap().contains(&pid);
                }
                is_missing
            });
            last.kill().unwrap();
            last.wait().unwrap();

            assert!(!is_missing);
        }
    }

    #[test]
    fn fault_300_a_child_that_moves_to_a_list_that_was_read_before_is_found() {
        let walks = std::cell::Cell::new(0);
        // The parent of the second one ends between the reading of both lists.
        let adopted = || {
            walks.set(walks.get() + 1);
            Ok(if walks.get() == 1 { vec![7] } else { vec![8] })
        };

        let found = descendants(adopted, |_| Vec::new()).unwrap();

        assert!(found.contains(&8), "{found:?}");
    }

    #[test]
    fn a_group_has_others_as_long_as_one_of_them_lives() {
        let script = "sleep 600 & echo $!; exec sleep 600";
        let mut leader =
            Command::new("sh").args(["-c", script]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = io::BufReader::new(leader.stdout.take().unwrap());
        io::BufRead::read_line(&mut output, &mut line).unwrap();
        let group = i32::try_from(leader.id()).unwrap();

        let both = has_others(group).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(line.trim().parse().unwrap()), nix::sys::signal::SIGKILL)
            .unwrap();
        let asked = std::time::Instant::now();
        while has_others(group).unwrap() {
            assert!(asked.elapsed() < std::time::Duration::from_secs(10), "the group has others still");
        }

        assert!(both);
        leader.kill().unwrap();
        leader.wait().unwrap();
    }
}
