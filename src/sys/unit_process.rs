//! One unit's process: started in a group of its own, watched by one thread without polling, ended with its group.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

mod reaped;
mod times;

pub use times::{Ending, Times};

use super::group::has_others;
use super::inherited::{await_spawns, null, opening, spawn_unit};
use super::spawn_error::SpawnError;
use super::unit_command::UnitCommand;
use super::{EventFd, LifeSign};
use reaped::{Reaped, reap};
use times::Deadlines;

/// How long after the end of its main process a unit's output may still trickle in from processes it left behind.
const LEAK_GRACE: Duration = Duration::from_millis(100);
/// Time between two looks at a group that was asked to end and whose leader has.
const GROUP_POLL: Duration = Duration::from_millis(25);
const CHUNK_BYTES: usize = 16 * 1024;

/// A started process whose group has not been ended yet.
#[derive(Debug)]
pub struct UnitProcess {
    pid: Pid,
    handle: OwnedFd,
    out: Option<PipeReader>,
    err: Option<PipeReader>,
    /// The other ends, held until the process has ended: its output ends with it, and this thread wakes once and not twice.
    writers: Option<[PipeWriter; 2]>,
}

/// Where the output of a process goes as it is read.
pub trait Streams {
    /// Takes the next bytes of standard output.
    fn take_stdout(&mut self, bytes: &[u8]);
    /// Takes the next bytes of standard error.
    fn take_stderr(&mut self, bytes: &[u8]);
}

impl UnitProcess {
    /// Starts the command in a process group of its own, with that standard input and its output on pipes, or thrown away.
    pub fn spawn(command: &UnitCommand, stdin: &File, captured: bool) -> Result<UnitProcess, SpawnError> {
        let stdin = stdin.as_fd();
        let (pid, pipes) = if captured {
            // They are opened here, because the spawn itself can open nothing.
            let (out, err) = {
                let _opening = opening();
                (io::pipe()?, io::pipe()?)
            };
            (spawn_unit(command, [stdin, out.1.as_fd(), err.1.as_fd()])?, Some((out, err)))
        } else {
            let null = {
                let _opening = opening();
                null()?
            };
            (spawn_unit(command, [stdin, null, null])?, None)
        };
        let handle = {
            let _opening = opening();
            // An unreaped child cannot lose its number, so that this names the right process even when it has ended.
            pidfd_open(pid, PidfdFlags::empty())
        };
        match handle {
            Ok(handle) => {
                let (out, err, writers) = match pipes {
                    Some(((out, stdout), (err, stderr))) => (Some(out), Some(err), Some([stdout, stderr])),
                    None => (None, None, None),
                };
                Ok(UnitProcess { pid, handle, out, err, writers })
            }
            // It has its own group, and may have done its work by now.
            Err(error) => {
                let ended = kill_and_reap(pid);
                Err(SpawnError::NotWatched(ended.err().unwrap_or(error.into())))
            }
        }
    }

    /// Waits for the end of the process, and ends it when its time is over or `stop` rings: TERM to its group, KILL after that.
    /// When it returns, also with an error, the process is reaped and its group is gone.
    pub fn supervise(mut self, times: &Times<'_>, stop: &EventFd, streams: &mut impl Streams) -> io::Result<Ending> {
        let watched = self.watch(times, stop, streams);
        let Reaped { exit_code, signal, resources } = kill_and_reap(self.pid)?;
        let (deadlines, leaked) = watched?;
        Ok(Ending {
            exit_code,
            signal,
            resources,
            timed_out: deadlines.timed_out,
            idle: deadlines.idle,
            stopped: deadlines.stopped,
            grace_left: deadlines.kill_at.map(|at| at.saturating_duration_since(Instant::now())),
            leaked,
        })
    }

    /// Follows the process to its end; says whether what it left behind still held its output then.
    fn watch(
        &mut self,
        times: &Times<'_>,
        stop: &EventFd,
        streams: &mut impl Streams,
    ) -> io::Result<(Deadlines, bool)> {
        let (mut out, mut err) = (self.out.take(), self.err.take());
        let mut deadlines = Deadlines::of(times, Instant::now());
        let (mut ended, mut over_at) = (false, None);
        loop {
            let ready = self.wait(&out, &err, times.life, stop, &deadlines, ended, over_at)?;
            let mut lives = ready.life;
            if let Some(life) = times.life.filter(|_| ready.life) {
                life.hear();
            }
            lives |= read_some(&mut out, ready.out, |bytes| streams.take_stdout(bytes))?;
            lives |= read_some(&mut err, ready.err, |bytes| streams.take_stderr(bytes))?;
            // After what there was to read: this thread may have been held up for longer than the unit.
            let now = Instant::now();
            if lives {
                deadlines.live(times.idle, now);
            }
            ended |= ready.ended;
            // Whoever was asked to end with the main process has the same time for it.
            if ended && over_at.is_none() && deadlines.is_over(now, || has_others(self.pid.as_raw_nonzero().get())) {
                over_at = Some(now);
                // From here on its output ends with the last process that it left behind.
                self.writers = None;
            }
            match over_at {
                None if ended => {}
                None => self.advance(&mut deadlines, ready.stop, now, times.kill_after),
                Some(_) if out.is_none() && err.is_none() => return Ok((deadlines, false)),
                // What nobody holds is read to its end, however late this is.
                Some(at) if now >= at + LEAK_GRACE && (is_held(&out)? || is_held(&err)?) => {
                    return Ok((deadlines, true));
                }
                Some(_) => {}
            }
        }
    }

    /// Ends the process where its time has come.
    fn advance(&self, deadlines: &mut Deadlines, stop: bool, now: Instant, kill_after: Duration) {
        if deadlines.end(stop, now, kill_after) {
            // The group exists as long as its leader is not reaped.
            let _ = kill_process_group(self.pid, Signal::TERM);
            // A stopped process would not notice.
            let _ = kill_process_group(self.pid, Signal::CONT);
        }
        if deadlines.kill_at.is_some_and(|at| now >= at) {
            deadlines.kill_at = Some(now + kill_after.max(Duration::from_secs(1)));
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that a process is watched for, in one place")]
    fn wait(
        &self,
        out: &Option<impl AsFd>,
        err: &Option<impl AsFd>,
        life: Option<&LifeSign>,
        stop: &EventFd,
        deadlines: &Deadlines,
        ended: bool,
        over_at: Option<Instant>,
    ) -> io::Result<Ready> {
        let mut fds = Vec::with_capacity(5);
        let end_index = (!ended).then(|| push(&mut fds, self.handle.as_fd()));
        let stop_index = (!ended && deadlines.kill_at.is_none()).then(|| push(&mut fds, stop.as_fd()));
        let life = life.filter(|_| !ended && deadlines.kill_at.is_none());
        let life_index = life.map(|life| push(&mut fds, life.as_fd()));
        let out_index = out.as_ref().map(|out| push(&mut fds, out.as_fd()));
        let err_index = err.as_ref().map(|err| push(&mut fds, err.as_fd()));

        let deadline = match over_at {
            Some(at) => Some(at + LEAK_GRACE),
            None if ended => deadlines.kill_at.map(|at| at.min(Instant::now() + GROUP_POLL)),
            None => deadlines.next(),
        };
        let timeout = deadline
            .map(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())))
            .transpose()
            .map_err(io::Error::other)?;
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => fds.iter_mut().for_each(PollFd::clear_revents),
            Err(error) => return Err(error.into()),
        }
        let found = |index: Option<usize>| index.map_or(PollFlags::empty(), |index| fds[index].revents());
        Ok(Ready {
            out: found(out_index),
            err: found(err_index),
            ended: !found(end_index).is_empty(),
            stop: !found(stop_index).is_empty(),
            life: !found(life_index).is_empty(),
        })
    }
}

#[derive(Debug)]
struct Ready {
    out: PollFlags,
    err: PollFlags,
    ended: bool,
    stop: bool,
    life: bool,
}

fn push<'fd>(fds: &mut Vec<PollFd<'fd>>, fd: std::os::fd::BorrowedFd<'fd>) -> usize {
    fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
    fds.len() - 1
}

/// Reads once from a stream of which something was found, and says whether there was anything; at its end the stream is closed.
fn read_some(stream: &mut Option<impl Read>, found: PollFlags, take: impl FnOnce(&[u8])) -> io::Result<bool> {
    if found == PollFlags::HUP {
        *stream = None;
    }
    let Some(open) = stream.as_mut().filter(|_| !found.is_empty()) else { return Ok(false) };
    let mut chunk = [0; CHUNK_BYTES];
    match open.read(&mut chunk) {
        Ok(0) => *stream = None,
        Ok(read) => {
            take(&chunk[..read]);
            return Ok(true);
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(false)
}

/// Returns `true` if a process can still write to a stream; one that is just becoming the program of another unit does not count.
fn is_held(stream: &Option<PipeReader>) -> io::Result<bool> {
    let Some(stream) = stream else { return Ok(false) };
    await_spawns();
    let mut fds = [PollFd::new(stream, PollFlags::IN)];
    retry_on_intr(|| poll(&mut fds, Some(&Timespec::default())))?;
    Ok(!fds[0].revents().contains(PollFlags::HUP))
}

/// Ends what is left of a process and its group, and reaps it.
fn kill_and_reap(pid: Pid) -> io::Result<Reaped> {
    // Before the leader is reaped, or its number could by now name a stranger's group. ESRCH cannot happen, and
    // whoever is left in the group was left behind by the unit.
    let _ = kill_process_group(pid, Signal::KILL);
    reap(pid)
}

#[cfg(test)]
mod tests;
