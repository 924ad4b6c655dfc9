//! Whose a database is, and who runs what stands in it.
//!
//! The units of a job run as whoever starts its manager, and what that one makes is theirs: a start by anybody else than
//! the database's owner would run somebody's commands under another name, and leave files that the owner cannot open. It
//! is refused, unless it was said to be meant. So is a database that anybody could have written, or put in the place of
//! another one. Reading, stopping and cancelling are open to whoever can open the file.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{AccessError, ClientError};
use crate::files::{own_user, user_for_sudo, user_name};
use crate::model::{OwnVariable, OwnVariableError};

/// Says that any owner is meant, as [`accept_any_owner`] does.
const VARIABLE: OwnVariable = OwnVariable { name: "JOB_MANAGER_ANY_OWNER", expected: "1 or 0" };

static IS_ANY_MEANT: AtomicBool = AtomicBool::new(false);

/// Has this process create and run jobs whoever owns their database: as the root of a container does whose databases are
/// mounted from outside.
///
/// The variable `JOB_MANAGER_ANY_OWNER`, set to `1`, `true`, `yes` or `on`, says the same.
///
/// ```
/// job_manager::client::accept_any_owner();
/// ```
pub fn accept_any_owner() {
    IS_ANY_MEANT.store(true, Ordering::Relaxed);
}

fn is_any_meant() -> bool {
    // A value that is not understood counts as not set.
    IS_ANY_MEANT.load(Ordering::Relaxed) || is_any_owner_said().unwrap_or(false)
}

/// Returns `true` if the variable says that any owner is meant.
pub(super) fn is_any_owner_said() -> Result<bool, OwnVariableError> {
    let given = env::var_os(VARIABLE.name).unwrap_or_default();
    match given.to_ascii_lowercase().to_str() {
        Some("1" | "true" | "yes" | "on") => Ok(true),
        Some("" | "0" | "false" | "no" | "off") => Ok(false),
        _ => Err(VARIABLE.refuses(given)),
    }
}

/// Refuses a database of somebody else, or one to which anybody can write; what is no file is refused when it is opened.
pub(super) fn refuse_other_owner(db: &Path) -> Result<(), ClientError> {
    let Some(found) = fs::metadata(db).ok().filter(fs::Metadata::is_file) else { return Ok(()) };
    let (path, own) = (db.to_owned(), own_user());
    let refused = if found.uid() != own {
        let (owner, user) = (user_name(found.uid()), user_name(own));
        AccessError::OtherOwner { path, owner, sudo: user_for_sudo(found.uid()), user }
    } else if found.mode() & 0o002 != 0 {
        AccessError::OpenToAll { path, change: "o-w" }
    } else {
        return Ok(());
    };
    if is_any_meant() { Ok(()) } else { Err(refused.into()) }
}

/// Refuses to write to a database in a directory in which anybody can put another one in its place.
pub(super) fn refuse_open_directory(db: &Path) -> Result<(), ClientError> {
    // What is no path is refused when it is opened.
    let file = fs::canonicalize(db).or_else(|_| std::path::absolute(db)).unwrap_or_default();
    let Some(dir) = file.parent() else { return Ok(()) };
    let is_open = fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.mode() & 0o1002 == 0o002);
    if is_open && !is_any_meant() {
        return Err(AccessError::OpenToAll { path: dir.to_owned(), change: "+t" }.into());
    }
    Ok(())
}
