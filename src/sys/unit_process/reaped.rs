//! What the kernel says of a process when it is reaped.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use nix::libc::{RUSAGE_SELF, WEXITSTATUS, WIFEXITED, WIFSIGNALED, WTERMSIG, c_int, getrusage, rusage, timeval, wait4};
use nix::sys::time::{TimeVal, TimeValLike};
use rustix::process::Pid;

use crate::model::Resources;

/// How a process ended, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaped {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub resources: Resources,
}

/// Waits for the end of a child and reaps it.
pub(super) fn reap(pid: Pid) -> io::Result<Reaped> {
    let mut status: c_int = 0;
    let mut of_child = MaybeUninit::<rusage>::zeroed();
    loop {
        // SAFETY: both places are valid for writes while the call lasts, and nobody else reaps children by this number.
        let reaped = unsafe { wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, of_child.as_mut_ptr()) };
        if reaped >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: it began as zeros, which are valid numbers, and the kernel has filled it.
    let of_child = unsafe { of_child.assume_init() };
    let peak = bytes(of_child.ru_maxrss);
    Ok(Reaped {
        exit_code: WIFEXITED(status).then(|| WEXITSTATUS(status)),
        signal: WIFSIGNALED(status).then(|| WTERMSIG(status)),
        resources: Resources {
            cpu: duration(of_child.ru_utime) + duration(of_child.ru_stime),
            peak,
            is_bound: peak <= own_peak(),
        },
    })
}

/// Returns the most memory that this process has had, in bytes: each that it starts begins with that as its own peak.
fn own_peak() -> u64 {
    let mut own = MaybeUninit::<rusage>::zeroed();
    // SAFETY: the place is valid for writes while the call lasts; it began as zeros, which are valid numbers, should the call fail.
    let own = unsafe {
        getrusage(RUSAGE_SELF, own.as_mut_ptr());
        own.assume_init()
    };
    bytes(own.ru_maxrss)
}

fn duration(time: timeval) -> Duration {
    Duration::from_micros(TimeVal::from(time).num_microseconds().max(0).unsigned_abs())
}

/// The kernel counts in kibibytes.
fn bytes(kibibytes: i64) -> u64 {
    kibibytes.max(0).unsigned_abs().saturating_mul(1024)
}
