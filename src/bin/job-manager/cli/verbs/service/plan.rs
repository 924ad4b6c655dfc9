//! What is to be written and run to have a service manager start something.

use std::path::{Path, PathBuf};

use super::error::ServiceError;

/// By this a file is known as one of ours.
pub(super) const MARK: &str = "Written by `job-manager service install`";
const NAME: &str = "job-manager";

/// The command that has a running service manager look again; none may be there, and it looks when it starts.
pub(super) const RENEW: &str = "systemctl --user daemon-reload";

/// A unit of systemd, and where it belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Name of the unit.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub text: String,
    /// The link to it that goes with it.
    pub link: PathBuf,
}

impl Plan {
    /// Returns the command that does something with the unit; `is-enabled` asks.
    pub fn command(&self, verb: &str) -> String {
        format!("systemctl --user {verb} {}.service", self.name)
    }
}

/// Names the service of a database: other databases than the default one have a number in it that is made of their path.
pub(super) fn name_of(db: &Path, default: Option<&Path>) -> String {
    if default == Some(db) {
        return NAME.to_owned();
    }
    // FNV-1a: a name must not change with a library, or an old unit would stay behind.
    let bytes = db.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{NAME}-{hash:08x}")
}

/// Returns a path as text that has a place in a file of lines.
pub(super) fn plain(path: &Path) -> Result<&str, ServiceError> {
    path.to_str()
        .filter(|text| !text.chars().any(char::is_control))
        .ok_or_else(|| ServiceError::Unwritable(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_other_than_the_default_one_have_names_of_their_own() {
        let default = Some(Path::new("/home/a/jobs.db"));

        assert_eq!(name_of(Path::new("/home/a/jobs.db"), default), "job-manager");
        assert_eq!(name_of(Path::new("/srv/a/jobs.db"), default), "job-manager-d2921460");
        assert_ne!(name_of(Path::new("/srv/a-b"), default), name_of(Path::new("/srv/a/b"), default));
    }

    #[test]
    fn a_path_with_a_line_break_is_refused() {
        assert!(plain(Path::new("/srv/a\nExecStartPre=rm")).is_err());
    }
}
