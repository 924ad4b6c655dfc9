//! Programs that are run for an event of a job, with what happened on their standard input.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use super::capture::Capture;
use super::start::start;
use crate::model::{NOTIFY_KEY, RawText, TraceContext, is_of_server};
use crate::sys::{Environment, EventFd, Times, UnitCommand, opening};

/// Time between TERM and KILL for one that takes longer than it may.
const KILL_AFTER: Duration = Duration::from_secs(2);

/// Such a program.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub program: PathBuf,
    pub cwd: PathBuf,
    pub db: PathBuf,
    /// Variables of the trace that the job is in.
    pub trace: Vec<(&'static str, String)>,
    /// Time that it may take.
    pub timeout: Duration,
}

/// Why it was not told, or not certainly.
#[derive(Debug)]
pub(super) enum NotTold {
    TooSlow,
    Failed(String),
}

impl Listener {
    pub fn new(program: &Path, cwd: &Path, db: &Path, trace: Option<&TraceContext>, timeout: Duration) -> Listener {
        let (program, cwd, db) = (program.to_owned(), cwd.to_owned(), db.to_owned());
        let trace = trace.into_iter().flat_map(|trace| trace.variables(trace.to_string())).collect();
        Listener { program, cwd, db, trace, timeout }
    }

    /// Runs it with those arguments and that standard input, waits for its end, and returns what it printed.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>, input: &[u8]) -> Result<RawText, NotTold> {
        let (ending, capture) = self.spawn(arguments, input).map_err(|error| NotTold::Failed(error.to_string()))?;
        let output = capture.into_output();
        if ending.exit_code == Some(0) {
            return Ok(output.stdout.unwrap_or_default());
        }
        if ending.timed_out {
            return Err(NotTold::TooSlow);
        }
        let said = output.stderr.unwrap_or_default();
        let code = ending.exit_code.map_or("a signal".to_owned(), |code| format!("code {code}"));
        let last = said.to_string_lossy().lines().last().unwrap_or_default().to_owned();
        Err(NotTold::Failed(format!("ended with {code}: {last}")))
    }

    fn spawn(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        input: &[u8],
    ) -> io::Result<(crate::sys::Ending, Capture)> {
        let (content, stop) = {
            let _opening = opening();
            (memfd_create("event", MemfdFlags::CLOEXEC)?, EventFd::new()?)
        };
        let mut content = File::from(content);
        content.write_all(input)?;
        content.rewind()?;
        let argv = std::iter::once(self.program.clone().into()).chain(arguments).collect();
        let environment: Arc<Environment> = {
            let own = std::env::vars_os();
            Arc::new(own.filter(|(name, _)| !is_of_server(name, &self.db) && name != NOTIFY_KEY).collect())
        };
        let mut command = UnitCommand::new(self.program.clone(), argv, self.cwd.clone(), &environment);
        command.set("JOB_MANAGER_DB", &self.db);
        self.trace.iter().for_each(|(name, value)| command.set(name, value));
        let mut capture = Capture::new();
        let process = start(&mut command, &content, true)?;
        let ending = process.supervise(&Times::limited(Some(self.timeout), KILL_AFTER), &stop, &mut capture)?;
        Ok((ending, capture))
    }
}
