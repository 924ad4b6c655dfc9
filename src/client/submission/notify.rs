//! Whether somebody can be told of a job's end from here.

use std::env;
use std::path::Path;

use super::{SubmissionError, find_program};
use crate::handler::{Notify, NotifyTo};
use crate::model::NOTIFY_KEY;

/// Variables of which one is set in a session with a desktop.
const SESSION: [&str; 3] = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"];

/// Looks up what tells the desktop or an address of a job: messages are signed when the key for that is set here.
///
/// # Errors
/// [`SubmissionError::Program`] without `notify-send` or `curl`, [`SubmissionError::NoDesktop`] outside of a session,
/// [`SubmissionError::CannotSign`] with a key in a program that was built without what signs.
pub fn notify(to: NotifyTo, cwd: &Path) -> Result<Notify, SubmissionError> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = match &to {
        NotifyTo::Desktop if !SESSION.into_iter().any(is_set) => return Err(SubmissionError::NoDesktop),
        NotifyTo::Desktop => "notify-send",
        NotifyTo::Url(_) => "curl",
    };
    let is_signed = matches!(to, NotifyTo::Url(_)) && is_set(NOTIFY_KEY);
    if is_signed && !cfg!(feature = "notify") {
        return Err(SubmissionError::CannotSign);
    }
    Ok(Notify { program: find_program(program.as_ref(), cwd)?, to, is_signed })
}
