//! What a process hands down to those it starts: umask, nice value, limits.
//!
//! A unit gets those of the process that created its job. `posix_spawn` has no attribute for any of them, so that the
//! manager has them itself; only of open files it may have more, and lowers its own limit for the moment of a spawn.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use rustix::process::{Pid, getpriority_process, setpriority_process};

use super::unit_command::UnitCommand;
use crate::model::Submitter;

const LIMITS: [(&str, Resource); 9] = [
    ("as", Resource::RLIMIT_AS),
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("stack", Resource::RLIMIT_STACK),
];

/// Files that one running unit of a command has open in its manager, and one more while it starts.
pub const OPEN_FILES_PER_UNIT: u64 = 10;
/// Files that a manager has open beside those of its units, with some to spare.
pub const OPEN_FILES_BESIDE_UNITS: u64 = 64;

/// The soft limit of open files that units get, when it is lower than this process's own. Locked for writing while the
/// limit is lowered, and for reading by whoever opens something meanwhile that must not fail because of that.
static OPEN_FILES_OF_UNITS: RwLock<Option<OpenFiles>> = RwLock::new(None);

/// A soft limit of open files that holds while a unit is started.
#[derive(Debug)]
struct OpenFiles {
    soft: u64,
    /// Descriptors with low numbers, which make room for those of a unit: a spawn takes none beyond the limit.
    room: Vec<OwnedFd>,
}

impl OpenFiles {
    fn new(soft: u64) -> io::Result<OpenFiles> {
        let mut files = OpenFiles { soft, room: Vec::new() };
        files.reserve()?;
        Ok(files)
    }

    /// Takes numbers that a unit can have; those beyond its limit would be of no use to it.
    fn reserve(&mut self) -> io::Result<()> {
        self.room.retain(|file| is_below(file, self.soft));
        while self.room.len() < 3 {
            self.room.push(null_output()?.into());
        }
        Ok(())
    }

    /// Copies descriptors to the lowest numbers that are free.
    fn lowered(&mut self, files: [BorrowedFd<'_>; 3]) -> io::Result<[OwnedFd; 3]> {
        self.room.clear();
        let [a, b, c] = files;
        let low = |file: BorrowedFd<'_>| -> io::Result<OwnedFd> {
            let copy = file.try_clone_to_owned()?;
            if is_below(&copy, self.soft) { Ok(copy) } else { Err(Errno::EMFILE.into()) }
        };
        Ok([low(a)?, low(b)?, low(c)?])
    }
}

fn is_below(file: &OwnedFd, limit: u64) -> bool {
    u64::try_from(file.as_raw_fd()).is_ok_and(|number| number < limit)
}

/// Keeps the limit of open files from being lowered as long as it lives; never take two.
pub struct Opening(RwLockReadGuard<'static, Option<OpenFiles>>);

/// Returns what this process would hand down.
///
/// The umask is read, never set and restored: another thread could be creating a file meanwhile. A Linux before 4.7 has
/// no line for it, and units keep the private umask then.
pub fn own_inheritance() -> io::Result<Submitter> {
    // The name of the program is in it, which can be any bytes.
    let status = fs::read("/proc/self/status")?;
    let status = String::from_utf8_lossy(&status);
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let umask = umask.map(|mask| u32::from_str_radix(mask.trim(), 8)).transpose().map_err(io::Error::other)?;
    let limits = LIMITS.into_iter().map(|(name, resource)| {
        let (soft, _) = getrlimit(resource)?;
        Ok((name.to_owned(), (soft != RLIM_INFINITY).then_some(soft)))
    });
    let limits = limits.collect::<io::Result<_>>()?;
    Ok(Submitter { umask, nice: getpriority_process(None)?, limits, trace: None })
}

/// Has this process hand down what that one did, as far as it may; for a manager, before it has threads.
///
/// A hard limit, or a nice value, that is stricter here stays as it is.
pub fn inherit(from: &Submitter) -> io::Result<()> {
    if let Some(mask) = from.umask {
        umask(Mode::from_bits_truncate(mask));
    }
    if from.nice > getpriority_process(None)? {
        setpriority_process(None, from.nice)?;
    }
    for (name, resource) in LIMITS {
        let Some(recorded) = from.limits.get(name) else { continue };
        let (soft, hard) = getrlimit(resource)?;
        let wanted = recorded.unwrap_or(RLIM_INFINITY).min(hard);
        if resource == Resource::RLIMIT_NOFILE {
            set_open_files_of_units(wanted)?;
        } else if wanted != soft {
            setrlimit(resource, wanted, hard)?;
        }
    }
    Ok(())
}

/// Has units start with that soft limit of open files; this process keeps its own where that is higher.
fn set_open_files_of_units(wanted: u64) -> io::Result<()> {
    let mut of_units = OPEN_FILES_OF_UNITS.write().unwrap_or_else(PoisonError::into_inner);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if wanted > soft {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    *of_units = if wanted < soft { Some(OpenFiles::new(wanted)?) } else { None };
    Ok(())
}

/// Raises this process's own soft limit of open files to `needed`, as far as it may, and returns what it is then; units
/// start with the one before.
pub fn allow_open_files(needed: u64) -> io::Result<u64> {
    let mut of_units = OPEN_FILES_OF_UNITS.write().unwrap_or_else(PoisonError::into_inner);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let raised = needed.min(hard);
    if raised <= soft {
        return Ok(soft);
    }
    if of_units.is_none() {
        *of_units = Some(OpenFiles::new(soft)?);
    }
    setrlimit(Resource::RLIMIT_NOFILE, raised, hard)?;
    Ok(raised)
}

/// Waits until this process has its own limit of open files, for a worker that is about to open something.
pub fn opening() -> Opening {
    Opening(OPEN_FILES_OF_UNITS.read().unwrap_or_else(PoisonError::into_inner))
}

/// Starts a command with the limits of a unit and these standard streams.
///
/// The limit is lowered for the whole process, which may have more files open than a unit may. Set after the spawn, it
/// would be too late for a program that reads it first thing.
pub(super) fn spawn_unit(command: &UnitCommand, streams: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
    let opening = opening();
    if opening.0.is_none() {
        return command.spawn(streams);
    }
    drop(opening);
    let mut of_units = OPEN_FILES_OF_UNITS.write().unwrap_or_else(PoisonError::into_inner);
    let Some(files) = of_units.as_mut() else { return command.spawn(streams) };
    files.reserve()?;
    let spawned = files.lowered(streams).and_then(|streams| {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, files.soft.min(soft), hard)?;
        let spawned = command.spawn(streams.each_ref().map(OwnedFd::as_fd));
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
        spawned
    });
    // The unit has started, or not, in any case; room that cannot be had now is looked for before the next one.
    let _ = files.reserve();
    spawned
}

/// Waits for units that are being started: until it is the program, a child has a copy of every descriptor of ours.
pub(super) fn await_spawns() {
    drop(OPEN_FILES_OF_UNITS.write().unwrap_or_else(PoisonError::into_inner));
}

/// Returns what throws away whatever is written to it.
pub(super) fn null_output() -> io::Result<File> {
    File::options().write(true).open("/dev/null")
}

/// Returns the same, opened once and never closed.
pub(super) fn null() -> io::Result<BorrowedFd<'static>> {
    static NULL: OnceLock<File> = OnceLock::new();
    match NULL.get() {
        Some(null) => Ok(null.as_fd()),
        None => null_output().map(|null| NULL.get_or_init(|| null).as_fd()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EventFd, Streams, Times, UnitProcess};
    use super::*;

    struct Said(Vec<u8>);

    impl Streams for Said {
        fn take_stdout(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn take_stderr(&mut self, _: &[u8]) {}
    }

    fn limit_seen_by_a_unit() -> String {
        let mut said = Said(Vec::new());
        let argv = ["sh", "-c", "ulimit -n"].map(Into::into).to_vec();
        let command = UnitCommand::new("/bin/sh".into(), argv, "/".into(), &Default::default());
        let stdin = {
            let _opening = opening();
            null_output().unwrap()
        };
        let process = UnitProcess::spawn(&command, &stdin, true).unwrap();
        let grace = std::time::Duration::from_secs(5);
        let event = {
            let _opening = opening();
            EventFd::new().unwrap()
        };
        process.supervise(&Times::limited(None, grace), &event, &mut said).unwrap();
        String::from_utf8(said.0).unwrap().trim().to_owned()
    }

    #[test]
    fn a_thousand_units_have_the_submitters_limit_of_open_files_although_the_manager_has_more_of_them_open() {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let own = soft.max(hard.min(512));
        setrlimit(Resource::RLIMIT_NOFILE, own, hard).unwrap();
        set_open_files_of_units(64).unwrap();
        let _open: Vec<File> = (0..100).map(|_| null_output().unwrap()).collect();

        let seen: Vec<String> = std::thread::scope(|threads| {
            let workers: Vec<_> = (0..4)
                .map(|_| threads.spawn(|| (0..250).map(|_| limit_seen_by_a_unit()).collect::<Vec<_>>()))
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });

        assert_eq!(seen.len(), 1000);
        assert!(seen.iter().all(|limit| limit == "64"), "{seen:?}");
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, own);
    }

    #[test]
    fn the_umask_of_this_process_is_read_and_not_changed() {
        let before = own_inheritance().unwrap();

        assert!(before.umask.is_some());
        assert_eq!(own_inheritance().unwrap(), before);
    }
}
