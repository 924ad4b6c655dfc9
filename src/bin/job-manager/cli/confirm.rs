//! Asking before something is destroyed.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use job_manager::client::Client;
use job_manager::model::JobId;
use job_manager::text::{counted, printable};

use super::text::one_line;
use super::{CliError, Global};

/// Asks before the newest job is ended that nobody named: it may be another one than is meant.
pub(super) fn confirm_for_last(global: &Global, client: &Client, job: JobId, verb: &str) -> Result<(), CliError> {
    let row = client.job(job)?;
    // One that has ended is refused for that, whatever the answer.
    if row.status.is_terminal() {
        return Ok(());
    }
    let left = row.progress.unfinished();
    confirm(
        global,
        &format!("{verb} job {job} ({}), the newest, with {} left", one_line(&row.name), counted(left, "unit")),
    )
}

/// Asks on a terminal; elsewhere `-y` must have been given.
pub(super) fn confirm(global: &Global, what: &str) -> Result<(), CliError> {
    if global.yes {
        return Ok(());
    }
    let refused = || CliError::NotConfirmed(what.to_owned());
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        return Err(refused());
    }
    let mut stderr = stderr();
    write!(stderr, "This will {}. Go on? [y/N] ", printable(what))?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused()) }
}
