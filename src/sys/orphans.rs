//! Processes of units that outlived their manager, found and ended.
//!
//! Two marks give one away: the cookie in the environment it was started with, and a slot file as its standard
//! input. The cookie names the database too: a copy of it has the same jobs, and its processes are not ours. A process
//! that shed both marks is found as long as it keeps the lock of a slot; so is a superseded manager that was suspended
//! while it started a unit. One that keeps neither is not found.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::inherited::opening;
use super::is_another;
use super::lack::lack_of;
use crate::model::DatabaseFile;

/// Name of the environment variable that marks every process of a unit.
pub const COOKIE_VARIABLE: &str = "JOB_MANAGER_COOKIE";

/// Ends the part of a cookie that says which attempt it is of; the database follows.
const END_OF_ATTEMPT: u8 = b';';

/// The cookie of the processes of a job, or of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Cookie<'a> {
    /// How it begins.
    pub begin: &'a str,
    /// The database of the job. Processes of another one are left alone as long as that is where it was: where it is
    /// gone, it was moved here.
    pub database: &'a DatabaseFile,
}

/// Passes over the process table before giving up on processes that breed faster than they are ended.
const PASSES: usize = 20;

/// Ends every process that has the cookie or whose standard input is `slots` or lies below it: TERM,
/// then KILL after `patience`. Returns how many there were, and whether none is left.
pub fn end_orphans(cookie: Option<Cookie<'_>>, slots: &Path, patience: Duration) -> io::Result<(usize, bool)> {
    let mut ended = 0;
    for pass in 0..PASSES {
        let found = find(|pid| is_marked(pid, cookie, slots))?;
        if found.is_empty() {
            return Ok((ended, true));
        }
        // Whoever appears only now was born while its parents were being ended, and has had its TERM with them.
        let gentle = if pass == 0 { patience } else { Duration::ZERO };
        end(&found, gentle)?;
        ended += found.len();
    }
    Ok((ended, false))
}

/// Ends every process that keeps the lock of a file below `slots`, whatever it looks like: TERM, then KILL after `patience`.
/// Returns how many there were.
///
/// Only for those who start no units: a child that has not come to its exec keeps the locks of its parent.
pub fn end_lock_holders(slots: &Path, patience: Duration) -> io::Result<usize> {
    let found = find(|pid| keeps_lock(pid, slots))?;
    end(&found, patience)?;
    Ok(found.len())
}

/// Returns handles of the processes that `is_wanted` selects, without this one.
fn find(is_wanted: impl Fn(i32) -> io::Result<bool>) -> io::Result<Vec<OwnedFd>> {
    let _opening = opening();
    let own = rustix::process::getpid();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(raw) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Some(pid) = Pid::from_raw(raw).filter(|&pid| pid != own) else { continue };
        // The handle comes first: what is read afterwards is about the process that it holds.
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(error) => {
                seen::<()>(Err(error.into()))?;
                continue;
            }
        };
        if is_wanted(raw)? && !has_ended(&handle)? {
            found.push(handle);
        }
    }
    Ok(found)
}

fn is_marked(pid: i32, cookie: Option<Cookie<'_>>, slots: &Path) -> io::Result<bool> {
    if let Some(cookie) = cookie
        && has_cookie(pid, cookie)?
    {
        return Ok(true);
    }
    let stdin = seen(fs::read_link(format!("/proc/{pid}/fd/0")))?;
    Ok(stdin.is_some_and(|stdin| stdin.starts_with(slots)))
}

fn has_cookie(pid: i32, cookie: Cookie<'_>) -> io::Result<bool> {
    let mark = format!("{COOKIE_VARIABLE}={}", cookie.begin).into_bytes();
    let environment = seen(fs::read(format!("/proc/{pid}/environ")))?.unwrap_or_default();
    let Some(theirs) = environment.split(|&byte| byte == 0).find(|variable| variable.starts_with(&mark)) else {
        return Ok(false);
    };
    let database = theirs.iter().position(|&byte| byte == END_OF_ATTEMPT).map(|end| &theirs[end + 1..]);
    // Units of older versions do not say whose they are.
    let database = database.and_then(|text| DatabaseFile::from_text(str::from_utf8(text).ok()?));
    let root = format!("/proc/{pid}/root");
    Ok(database.is_none_or(|theirs| !is_another(&theirs, cookie.database, Path::new(&root))))
}

/// Returns `true` if a process has an open file below `slots` whose exclusive lock it keeps; whoever merely reads such a
/// file, or looks whether it is free, has none.
fn keeps_lock(pid: i32, slots: &Path) -> io::Result<bool> {
    let Some(open) = seen(fs::read_dir(format!("/proc/{pid}/fd")))? else { return Ok(false) };
    for descriptor in open {
        let Some(descriptor) = seen(descriptor)? else { continue };
        if !seen(fs::read_link(descriptor.path()))?.is_some_and(|file| file.starts_with(slots)) {
            continue;
        }
        let about = Path::new("/proc").join(pid.to_string()).join("fdinfo").join(descriptor.file_name());
        let about = seen(fs::read_to_string(about))?.unwrap_or_default();
        if about.lines().any(|line| line.contains("FLOCK") && line.contains("WRITE")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns what was seen of a process. One that has gone, or is another user's, is not ours; where this process itself
/// lacks something to look with, nobody knows.
fn seen<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if lack_of(&error).is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

fn end(processes: &[OwnedFd], patience: Duration) -> io::Result<()> {
    if !patience.is_zero() {
        signal_all(processes, Signal::TERM);
        // One that is stopped would not see it.
        signal_all(processes, Signal::CONT);
        if wait_all(processes, patience)? {
            return Ok(());
        }
    }
    signal_all(processes, Signal::KILL);
    wait_all(processes, Duration::from_secs(2)).map(drop)
}

fn signal_all(processes: &[OwnedFd], signal: Signal) {
    for process in processes {
        // One that has ended meanwhile is what we want; one that may not be signalled shows in the next pass.
        let _ = pidfd_send_signal(process, signal);
    }
}

/// Waits until all have ended; false when time ran out.
fn wait_all(processes: &[OwnedFd], patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + patience;
    for process in processes {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Ok(false),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(true)
}

fn has_ended(process: &OwnedFd) -> io::Result<bool> {
    Ok(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_marked_process_is_ended_and_a_stranger_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut marked = Command::new("sleep")
            .arg("600")
            .env(COOKIE_VARIABLE, "orphan-test-1:7")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut stranger = Command::new("sleep")
            .arg("600")
            .env(COOKIE_VARIABLE, "orphan-test-2:7")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();

        let database = DatabaseFile { path: dir.path().join("jobs.db"), device: 1, inode: 1 };
        let cookie = Cookie { begin: "orphan-test-1:", database: &database };
        let outcome = end_orphans(Some(cookie), dir.path(), Duration::from_secs(5)).unwrap();

        assert_eq!(outcome, (1, true));
        assert!(marked.wait().unwrap().code().is_none());
        assert!(stranger.try_wait().unwrap().is_none());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn a_process_without_the_cookie_is_known_by_its_standard_input() {
        let dir = tempfile::tempdir().unwrap();
        let slot = super::super::SlotFile::at(dir.path().join("0"));
        let mut child = Command::new("sleep").arg("600").stdin(slot.occupy(b"").unwrap()).spawn().unwrap();
        assert!(!slot.is_free().unwrap());

        let outcome = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();

        assert_eq!(outcome, (1, true));
        child.wait().unwrap();
        assert!(slot.is_free().unwrap());
    }

    #[test]
    fn fault_137_a_process_without_marks_is_known_by_the_lock_it_keeps_also_when_it_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let slot = super::super::SlotFile::at(dir.path().join("0"));
        let script = |script: &str, stdin: Stdio| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdin(stdin).stdout(Stdio::piped()).spawn().unwrap()
        };
        let shed = "exec 9<&0 </dev/null; echo; exec sleep 600 >&-";
        let mut holder = script(shed, slot.occupy(b"").unwrap().into());
        let mut reader = script(shed, fs::File::open(slot.path()).unwrap().into());
        for child in [&mut holder, &mut reader] {
            io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        }
        signal_all(&[pidfd_open(Pid::from_child(&holder), PidfdFlags::empty()).unwrap()], Signal::STOP);

        let by_marks = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();
        let by_lock = end_lock_holders(dir.path(), Duration::from_secs(5)).unwrap();

        assert_eq!((by_marks, by_lock), ((0, true), 1));
        holder.wait().unwrap();
        assert!(slot.is_free().unwrap());
        assert!(reader.try_wait().unwrap().is_none());
        reader.kill().unwrap();
        reader.wait().unwrap();
    }

    #[test]
    fn fault_112_a_process_of_another_copy_is_left_alone_until_that_copy_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (dir.path().join("ours.db"), dir.path().join("theirs.db"));
        let file = |path: &Path| {
            fs::write(path, "").unwrap();
            let found = fs::metadata(path).unwrap();
            DatabaseFile { path: path.to_owned(), device: found.dev(), inode: found.ino() }
        };
        let (ours, copy) = (file(&ours), file(&theirs));
        let mut unit = Command::new("sleep")
            .arg("600")
            .env(COOKIE_VARIABLE, format!("orphan-test-3:1:1:1;{}", copy.to_text()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let end = || {
            let cookie = Cookie { begin: "orphan-test-3:", database: &ours };
            end_orphans(Some(cookie), dir.path(), Duration::from_secs(5)).unwrap()
        };

        let beside_it = end();
        fs::remove_file(&theirs).unwrap();
        let after_it = end();

        unit.wait().unwrap();
        assert_eq!((beside_it, after_it), ((0, true), (1, true)));
    }
}
