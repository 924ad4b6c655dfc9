//! One unit's process: started in a group of its own, watched by one thread without polling, ended with its group.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};

use super::EventFd;
use super::group::has_others;
use super::inherited::{null_output, opening, spawn_unit};
use super::spawn_error::SpawnError;

/// How long after the end of its main process a unit's output may still trickle in from processes it left behind.
const LEAK_GRACE: Duration = Duration::from_millis(100);
/// Time between two looks at a group that was asked to end and whose leader has.
const GROUP_POLL: Duration = Duration::from_millis(25);
const CHUNK_BYTES: usize = 16 * 1024;

/// A started process whose group has not been ended yet.
#[derive(Debug)]
pub struct UnitProcess {
    child: Child,
    handle: OwnedFd,
    out: Option<PipeReader>,
    err: Option<PipeReader>,
}

/// Where the output of a process goes as it is read.
pub trait Streams {
    /// Takes the next bytes of standard output.
    fn take_stdout(&mut self, bytes: &[u8]);
    /// Takes the next bytes of standard error.
    fn take_stderr(&mut self, bytes: &[u8]);
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Exit code, if it exited.
    pub exit_code: Option<i32>,
    /// Signal, if one ended it.
    pub signal: Option<i32>,
    /// Whether it was ended by us because its time was over.
    pub timed_out: bool,
    /// Whether it was ended by us because it was to stop.
    pub stopped: bool,
    /// What is left of the time to end well, when it was ended by us.
    pub grace_left: Option<Duration>,
    /// Whether processes it left behind still held its captured output when it was over.
    pub leaked: bool,
}

/// What is still to happen to a process that runs.
#[derive(Debug, Default)]
struct Deadlines {
    timeout_at: Option<Instant>,
    kill_at: Option<Instant>,
    timed_out: bool,
    stopped: bool,
}

impl Deadlines {
    /// Returns `true` if nobody of a group has time any more whose leader has ended; where nobody can be seen, there may be
    /// somebody.
    fn is_over(&self, now: Instant, has_others: impl FnOnce() -> io::Result<bool>) -> bool {
        self.kill_at.is_none_or(|at| now >= at) || !has_others().unwrap_or(true)
    }
}

impl UnitProcess {
    /// Starts the command in a process group of its own, with that standard input and its output on pipes, or thrown away.
    ///
    /// Stays on the `posix_spawn` path as long as the command does not ask for more.
    pub fn spawn(command: &mut Command, stdin: &File, captured: bool) -> Result<UnitProcess, SpawnError> {
        let (streams, [out, err]) = streams(stdin, captured)?;
        let mut child = spawn_unit(command.process_group(0), streams)?;
        // An unreaped child cannot lose its number, so that this names the right process even when it has ended.
        let pid = rustix::process::Pid::from_child(&child);
        let handle = {
            let _opening = opening();
            pidfd_open(pid, PidfdFlags::empty())
        };
        match handle {
            Ok(handle) => Ok(UnitProcess { child, handle, out, err }),
            // It has its own group, and may have done its work by now.
            Err(error) => {
                let ended = kill_and_reap(&mut child);
                Err(SpawnError::NotWatched(ended.err().unwrap_or(error.into())))
            }
        }
    }

    /// Waits for the end of the process, and ends it when `timeout` is over or `stop` rings: TERM to its
    /// group, KILL after `kill_after`. When it returns, also with an error, the process is reaped and its group is gone.
    pub fn supervise(
        mut self,
        timeout: Option<Duration>,
        kill_after: Duration,
        stop: &EventFd,
        streams: &mut impl Streams,
    ) -> io::Result<Ending> {
        let watched = self.watch(timeout, kill_after, stop, streams);
        let status = kill_and_reap(&mut self.child)?;
        let (deadlines, leaked) = watched?;
        Ok(Ending {
            exit_code: status.code(),
            signal: status.signal(),
            timed_out: deadlines.timed_out,
            stopped: deadlines.stopped,
            grace_left: deadlines.kill_at.map(|at| at.saturating_duration_since(Instant::now())),
            leaked,
        })
    }

    /// Follows the process to its end; says whether what it left behind still held its output then.
    fn watch(
        &mut self,
        timeout: Option<Duration>,
        kill_after: Duration,
        stop: &EventFd,
        streams: &mut impl Streams,
    ) -> io::Result<(Deadlines, bool)> {
        let (mut out, mut err) = (self.out.take(), self.err.take());
        let mut deadlines =
            Deadlines { timeout_at: timeout.map(|timeout| Instant::now() + timeout), ..Deadlines::default() };
        let (mut ended, mut over_at) = (false, None);
        loop {
            let ready = self.wait(&out, &err, stop, &deadlines, ended, over_at)?;
            if ready.out {
                read_some(&mut out, |bytes| streams.take_stdout(bytes))?;
            }
            if ready.err {
                read_some(&mut err, |bytes| streams.take_stderr(bytes))?;
            }
            let now = Instant::now();
            ended |= ready.ended;
            // Whoever was asked to end with the main process has the same time for it.
            if ended && over_at.is_none() && deadlines.is_over(now, || has_others(group_of(&self.child).as_raw())) {
                over_at = Some(now);
            }
            match over_at {
                None if ended => {}
                None => self.advance(&mut deadlines, ready.stop, now, kill_after),
                Some(_) if out.is_none() && err.is_none() => return Ok((deadlines, false)),
                Some(at) if now >= at + LEAK_GRACE => return Ok((deadlines, true)),
                Some(_) => {}
            }
        }
    }

    /// Ends the process where its time has come.
    fn advance(&self, deadlines: &mut Deadlines, stop: bool, now: Instant, kill_after: Duration) {
        let timed_out = deadlines.timeout_at.is_some_and(|at| now >= at);
        if deadlines.kill_at.is_none() && (stop || timed_out) {
            deadlines.stopped = stop;
            deadlines.timed_out = !stop;
            deadlines.timeout_at = None;
            deadlines.kill_at = Some(now + kill_after);
            // The group exists as long as its leader is not reaped.
            let _ = killpg(group_of(&self.child), Signal::SIGTERM);
            // A stopped process would not notice.
            let _ = killpg(group_of(&self.child), Signal::SIGCONT);
        }
        if deadlines.kill_at.is_some_and(|at| now >= at) {
            deadlines.kill_at = Some(now + kill_after.max(Duration::from_secs(1)));
            let _ = killpg(group_of(&self.child), Signal::SIGKILL);
        }
    }

    fn wait(
        &self,
        out: &Option<impl AsFd>,
        err: &Option<impl AsFd>,
        stop: &EventFd,
        deadlines: &Deadlines,
        ended: bool,
        over_at: Option<Instant>,
    ) -> io::Result<Ready> {
        let mut fds = Vec::with_capacity(4);
        let end_index = (!ended).then(|| push(&mut fds, self.handle.as_fd()));
        let stop_index = (!ended && deadlines.kill_at.is_none()).then(|| push(&mut fds, stop.as_fd()));
        let out_index = out.as_ref().map(|out| push(&mut fds, out.as_fd()));
        let err_index = err.as_ref().map(|err| push(&mut fds, err.as_fd()));

        let deadline = match over_at {
            Some(at) => Some(at + LEAK_GRACE),
            None if ended => deadlines.kill_at.map(|at| at.min(Instant::now() + GROUP_POLL)),
            None => deadlines.kill_at.or(deadlines.timeout_at),
        };
        let timeout = deadline
            .map(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())))
            .transpose()
            .map_err(io::Error::other)?;
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let is_ready = |index: Option<usize>| index.is_some_and(|index| !fds[index].revents().is_empty());
        Ok(Ready {
            out: is_ready(out_index),
            err: is_ready(err_index),
            ended: is_ready(end_index),
            stop: is_ready(stop_index),
        })
    }
}

/// Returns the standard streams of a process, and where its output can be read if it is captured.
///
/// They are opened here, because the spawn itself can open nothing.
fn streams(stdin: &File, captured: bool) -> io::Result<([OwnedFd; 3], [Option<PipeReader>; 2])> {
    let _opening = opening();
    let stdin = stdin.try_clone()?.into();
    if !captured {
        return Ok(([stdin, null_output()?.into(), null_output()?.into()], [None, None]));
    }
    let (out, stdout) = io::pipe()?;
    let (err, stderr) = io::pipe()?;
    Ok(([stdin, stdout.into(), stderr.into()], [Some(out), Some(err)]))
}

#[derive(Debug, Default)]
struct Ready {
    out: bool,
    err: bool,
    ended: bool,
    stop: bool,
}

fn push<'fd>(fds: &mut Vec<PollFd<'fd>>, fd: std::os::fd::BorrowedFd<'fd>) -> usize {
    fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
    fds.len() - 1
}

/// Reads once from a stream that is ready; at its end the stream is closed.
fn read_some(stream: &mut Option<impl Read>, take: impl FnOnce(&[u8])) -> io::Result<()> {
    let Some(open) = stream else { return Ok(()) };
    let mut chunk = [0; CHUNK_BYTES];
    match open.read(&mut chunk) {
        Ok(0) => *stream = None,
        Ok(read) => take(&chunk[..read]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Ends what is left of a process and its group, and reaps it.
fn kill_and_reap(child: &mut Child) -> io::Result<ExitStatus> {
    // Before the leader is reaped, or its number could by now name a stranger's group. ESRCH cannot happen, and
    // whoever is left in the group was left behind by the unit.
    let _ = killpg(group_of(child), Signal::SIGKILL);
    child.wait()
}

fn group_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("process numbers fit an i32"))
}

#[cfg(test)]
mod tests;
