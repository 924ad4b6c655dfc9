//! Asking before something is destroyed.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use super::args::Global;
use super::error::CliError;

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
    write!(stderr, "This will {what}. Go on? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused()) }
}
