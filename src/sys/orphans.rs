//! Processes of units that outlived their manager, found and ended.
//!
//! Two marks give one away: the cookie in the environment it was started with, and a slot file as its standard
//! input. The cookie names the database too: a copy of it has the same jobs, and its processes are not ours. A process
//! that shed both marks is found as long as it keeps the lock of a slot; so is a superseded manager that was suspended
//! while it started a unit. One that keeps neither is not found.

mod seen;
mod slots;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use self::seen::seen;
use self::slots::{is_below, keeps_lock};
use super::inherited::opening;
use super::is_another;
use crate::model::{DatabaseFile, Seq};

/// Name of the environment variable that marks every process of a unit.
pub const COOKIE_VARIABLE: &str = "JOB_MANAGER_COOKIE";

/// Ends the part of a cookie that says which attempt it is of; the database follows.
const END_OF_ATTEMPT: u8 = b';';

/// The cookie of the processes of a job, or of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Cookie<'a> {
    /// How it begins.
    pub begin: &'a str,
    /// The units whose processes are meant, where it begins as that of a job; those of all units without that.
    pub units: Option<&'a HashSet<Seq>>,
    /// The database of the job. Processes of another one are left alone as long as that is where it was: where it is
    /// gone, it was moved here.
    pub database: &'a DatabaseFile,
}

/// What came of ending processes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// How many there were.
    pub ended: usize,
    /// For each that could not be ended the unit that its cookie names.
    pub left: Vec<Option<Seq>>,
}

/// A process with the cookie of a unit.
#[derive(Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its number.
    pub pid: u32,
    /// The unit.
    pub unit: Seq,
}

/// Time after which a process that is executing a program counts as one that was started without an environment.
const LONGEST_EXECUTION: Duration = Duration::from_secs(1);
/// Which field of `/proc/PID/stat` says where the environment begins, counted from 1.
const ENVIRONMENT_FIELD: usize = 50;
/// Bytes that hold nearly every environment.
const USUAL_BYTES: usize = 64 * 1024;

/// Passes over the process table before giving up on processes that breed faster than they are ended.
const PASSES: usize = 20;

/// Ends every process that has the cookie or whose standard input is `slots` or lies below it: TERM,
/// then KILL after `grace`.
pub fn end_orphans(cookie: Option<Cookie<'_>>, slots: &Path, grace: Duration) -> io::Result<Orphans> {
    let mut ended = 0;
    for pass in 0..=PASSES {
        let found = find(|pid| mark_of(pid, cookie, slots))?;
        let (handles, left): (Vec<OwnedFd>, Vec<Option<Seq>>) = found.into_iter().unzip();
        if handles.is_empty() || pass == PASSES {
            return Ok(Orphans { ended, left });
        }
        // Whoever appears only now was born while its parents were being ended, and has had its TERM with them.
        let gentle = if pass == 0 { grace } else { Duration::ZERO };
        end(&handles, gentle)?;
        ended += handles.len();
    }
    unreachable!("the last pass returns")
}

/// Returns the processes whose cookie is of one of those jobs and of another database than `database`, which is gone.
pub fn strays<J: Copy>(job_of: impl Fn(&str) -> Option<J>, database: &DatabaseFile) -> io::Result<Vec<(J, Stray)>> {
    let mut strays = Vec::new();
    find(|pid| {
        let Some(theirs) = cookie_of(pid, COOKIE_VARIABLE)? else { return Ok(None::<()>) };
        let named = theirs.attempt.split_once(':').and_then(|(uid, rest)| Some((job_of(uid)?, unit_of(rest)?)));
        let is_gone =
            |theirs: &DatabaseFile| !theirs.is_same_file(database) && !is_another(theirs, database, &root_of(pid));
        if let Some((job, unit)) = named.filter(|_| theirs.database.as_ref().is_some_and(is_gone)) {
            strays.push((job, Stray { pid: pid.unsigned_abs(), unit }));
        }
        Ok(None)
    })?;
    Ok(strays)
}

/// Ends every process that keeps the lock of a file below `slots`, whatever it looks like: TERM, then KILL after `grace`.
/// Returns how many there were.
///
/// Only for those who start no units: a child that has not come to its exec keeps the locks of its parent.
pub fn end_lock_holders(slots: &Path, grace: Duration) -> io::Result<usize> {
    let found = find(|pid| Ok(keeps_lock(pid, slots)?.then_some(())))?;
    let handles: Vec<OwnedFd> = found.into_iter().map(|(handle, ())| handle).collect();
    end(&handles, grace)?;
    Ok(handles.len())
}

/// Returns handles of the processes in which `look` finds something, with that, without this one.
fn find<T>(mut look: impl FnMut(i32) -> io::Result<Option<T>>) -> io::Result<Vec<(OwnedFd, T)>> {
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
        if let Some(mark) = look(raw)?
            && !has_ended(&handle)?
        {
            found.push((handle, mark));
        }
    }
    Ok(found)
}

/// Returns the unit of a marked process, as far as its cookie names one; `None` for any other process.
fn mark_of(pid: i32, cookie: Option<Cookie<'_>>, slots: &Path) -> io::Result<Option<Option<Seq>>> {
    let unit = match cookie {
        Some(cookie) => unit_with(pid, cookie)?,
        None => None,
    };
    if unit.is_some() {
        return Ok(Some(unit));
    }
    Ok(is_below(pid, &PathBuf::from(format!("/proc/{pid}/fd/0")), slots)?.then_some(None))
}

/// Returns the unit of a process that has the cookie.
fn unit_with(pid: i32, cookie: Cookie<'_>) -> io::Result<Option<Seq>> {
    let Some(theirs) = cookie_of(pid, &format!("{COOKIE_VARIABLE}={}", cookie.begin))? else { return Ok(None) };
    let Some(unit) = theirs.attempt.split_once(':').and_then(|(_, rest)| unit_of(rest)) else { return Ok(None) };
    let is_meant = cookie.units.is_none_or(|units| units.contains(&unit));
    // Units of older versions do not say whose they are.
    let is_ours = theirs.database.is_none_or(|theirs| !is_another(&theirs, cookie.database, &root_of(pid)));
    Ok((is_meant && is_ours).then_some(unit))
}

/// What the cookie of a process says.
struct Told {
    /// Which attempt it is of: the job's uid, the unit, the lease and the number.
    attempt: String,
    /// Which database.
    database: Option<DatabaseFile>,
}

/// Reads the cookie of a process, if it has one that begins so.
fn cookie_of(pid: i32, mark: &str) -> io::Result<Option<Told>> {
    let environment = environment_of(pid)?;
    let mut variables = environment.split(|&byte| byte == 0);
    let Some(theirs) = variables.find(|variable| variable.starts_with(mark.as_bytes())) else { return Ok(None) };
    let Some(value) = theirs.strip_prefix(COOKIE_VARIABLE.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else {
        return Ok(None);
    };
    let (attempt, database) = match value.iter().position(|&byte| byte == END_OF_ATTEMPT) {
        Some(end) => (&value[..end], Some(&value[end + 1..])),
        None => (value, None),
    };
    let database = database.and_then(|text| DatabaseFile::from_text(str::from_utf8(text).ok()?));
    Ok(Some(Told { attempt: String::from_utf8_lossy(attempt).into_owned(), database }))
}

/// Reads the environment that a process was started with.
///
/// One that is just executing a program seems to have none, or a part of it: neither the old memory nor the new one can
/// be read. Where processors are short that takes as long as the process waits for one.
fn environment_of(pid: i32) -> io::Result<Vec<u8>> {
    let began = Instant::now();
    loop {
        let place = environment_place(pid);
        let environment = seen(read_at_once(&format!("/proc/{pid}/environ")))?.unwrap_or_default();
        let is_whole = environment.last() == Some(&0);
        let has_none = environment.is_empty() && place.is_some() && place == environment_place(pid);
        // One that has ended, or is of the kernel, has no program.
        let has_program = || Ok::<_, io::Error>(seen(fs::read_link(format!("/proc/{pid}/exe")))?.is_some());
        if is_whole || has_none || began.elapsed() >= LONGEST_EXECUTION || !has_program()? {
            return Ok(environment);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns where the environment of a process begins in its memory, which differs from program to program; none while it is just
/// executing one, and where that is not to be seen.
fn environment_place(pid: i32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, which may hold anything, ends with the last parenthesis; the state behind it is the third field.
    let fields = &stat[stat.iter().rposition(|&byte| byte == b')')? + 1..];
    let place = str::from_utf8(fields).ok()?.split_ascii_whitespace().nth(ENVIRONMENT_FIELD - 3)?.parse().ok()?;
    (place != 0).then_some(place)
}

/// Reads a file that may become unreadable between two reads of it, with one if it is not huge.
fn read_at_once(path: &str) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let (mut content, mut length) = (vec![0; USUAL_BYTES], 0);
    loop {
        match file.read(&mut content[length..])? {
            0 => break,
            read => length += read,
        }
        if length == content.len() {
            content.resize(2 * length, 0);
        }
    }
    content.truncate(length);
    Ok(content)
}

/// Returns the unit that stands after the job's uid.
fn unit_of(rest: &str) -> Option<Seq> {
    Some(Seq(rest.split(':').next()?.parse().ok()?))
}

/// Where the file system of a process begins.
fn root_of(pid: i32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root"))
}

fn end(processes: &[OwnedFd], grace: Duration) -> io::Result<()> {
    if !grace.is_zero() {
        signal_all(processes, Signal::TERM);
        // One that is stopped would not see it.
        signal_all(processes, Signal::CONT);
        if wait_all(processes, grace)? {
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
fn wait_all(processes: &[OwnedFd], grace: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + grace;
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
mod tests;
