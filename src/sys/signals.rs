//! Signals of a manager: what it inherited is undone, TERM and INT become flags that its loops poll.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};

/// What signals have asked a manager to do; polled, never waited for.
#[derive(Debug, Clone, Default)]
pub struct StopFlags {
    stop: Arc<AtomicBool>,
    now: Arc<AtomicBool>,
    file_limit: Arc<AtomicBool>,
}

impl StopFlags {
    /// Returns `true` if a TERM or INT has arrived.
    pub fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Returns `true` if a file would have become larger than the limit of this process allows.
    pub fn met_file_limit(&self) -> bool {
        self.file_limit.load(Ordering::Relaxed)
    }

    /// Returns `true` if a second one has arrived: running units are to be ended.
    pub fn now_requested(&self) -> bool {
        self.now.load(Ordering::Relaxed)
    }
}

/// Makes TERM and INT set flags, the second one of them the stronger flag, and makes HUP do nothing.
///
/// XFSZ, which ends a process whose file reaches the limit of its size, only leaves a flag: the write fails then and says
/// so. XCPU, which comes when the soft limit of processor time is over that the manager has for its units, does nothing either.
/// They get a handler and are not ignored, because units would inherit an ignored signal through exec.
pub fn install_stop_flags() -> io::Result<StopFlags> {
    let flags = StopFlags::default();
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let StopFlags { stop, now, .. } = flags.clone();
        let on_signal = move || {
            if stop.swap(true, Ordering::Relaxed) {
                now.store(true, Ordering::Relaxed);
            }
        };
        // SAFETY: the handler only stores into atomics, which is safe in a signal handler.
        unsafe { signal_hook::low_level::register(signal, on_signal)? };
    }
    for signal in [signal_hook::consts::SIGHUP, signal_hook::consts::SIGXCPU] {
        // SAFETY: the handler does nothing at all.
        unsafe { signal_hook::low_level::register(signal, || {})? };
    }
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::clone(&flags.file_limit))?;
    Ok(flags)
}

/// Returns the name of a signal, such as `SIGKILL`.
pub fn signal_name(signal: i32) -> Option<&'static str> {
    Signal::try_from(signal).ok().map(Signal::as_str)
}

/// Gives every ignored signal its default action and unblocks all: both would otherwise survive exec, from a host that
/// ignores SIGCHLD or blocks TERM, into the manager and its units.
///
/// A handler does not survive exec: one that is there is this program's own, made before it became a manager, and stays.
pub(super) fn reset_signals() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator() {
        // KILL and STOP cannot be changed; PIPE stays ignored here, and std resets it in every child.
        if matches!(signal, Signal::SIGKILL | Signal::SIGSTOP | Signal::SIGPIPE) {
            continue;
        }
        // SAFETY: no handler function is installed that was not installed before.
        let before = unsafe { sigaction(signal, &default)? };
        if matches!(before.handler(), SigHandler::Handler(_) | SigHandler::SigAction(_)) {
            // SAFETY: as above.
            unsafe { sigaction(signal, &before)? };
        }
    }
    for signal in libc::SIGRTMIN()..=libc::SIGRTMAX() {
        // SAFETY: as above; the handler that is asked for is only compared.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            Errno::result(libc::sigaction(signal, std::ptr::null(), &mut before))?;
            if before.sa_sigaction == libc::SIG_IGN {
                before.sa_sigaction = libc::SIG_DFL;
                Errno::result(libc::sigaction(signal, &before, std::ptr::null_mut()))?;
            }
        }
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    Ok(())
}
