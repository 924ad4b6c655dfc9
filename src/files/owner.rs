//! Who owns a file, in words.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Uid, User};

/// Returns the number of the user that this process acts as.
pub fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns the name of a user, or its number where it has none.
pub fn user_name(user: u32) -> String {
    match User::from_uid(Uid::from_raw(user)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("user {user}"),
    }
}

/// Returns how `sudo -u` is told which user is meant.
pub fn user_for_sudo(user: u32) -> String {
    match User::from_uid(Uid::from_raw(user)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("'#{user}'"),
    }
}

/// Says whose a file is and who may do what with it; nothing about one that cannot be looked at.
pub fn about(path: &Path) -> Option<String> {
    let found = fs::symlink_metadata(path).ok()?;
    Some(format!("owned by {}, mode {:04o}", user_name(found.uid()), found.mode() & 0o7777))
}
