//! The token: 256 bits from the system's random source, in a file that only its owner can read.
//!
//! There is another one for dashboards that change nothing, so that whoever has that can change nothing elsewhere either.
//!
//! It survives restarts, so that whoever reads the metrics can be configured once. The file appears with its content and
//! its mode, or not at all: it is written under another name and then linked, and of two dashboards that start at the
//! same moment both use what the first one linked.
//!
//! The printed address and a browser have others: what is drawn again for each dashboard and kept nowhere.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use job_manager::files::{create_private_dir, if_there, own_user};
use job_manager::model::StateDir;
use subtle::ConstantTimeEq;

use super::DashboardError;

const BYTES: usize = 32;

/// What a request has to show; never printed by accident.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// Reads the token beside a database, or the one for reading only, and makes it when there is none.
    pub fn of(state: &StateDir, read_only: bool) -> Result<Token, DashboardError> {
        let path = if read_only { state.reading_token() } else { state.dashboard_token() };
        let dir = state.path();
        create_private_dir(dir).map_err(failed("create", dir))?;
        let owner = std::fs::symlink_metadata(dir).map_err(failed("look at", dir))?.uid();
        if owner != own_user() {
            // One that is left there could not be read by the owner, or would let them in here.
            return Token::drawn();
        }
        match Self::read(&path)? {
            Some(token) => Ok(token),
            None => {
                make(&path)?;
                let unsafe_because = |reason| DashboardError::TokenUnsafe { path: path.clone(), reason };
                Self::read(&path)?.ok_or_else(|| unsafe_because("vanished"))
            }
        }
    }

    /// Draws one that nobody has seen.
    pub fn drawn() -> Result<Token, DashboardError> {
        let mut random = [0; BYTES];
        getrandom::fill(&mut random).map_err(DashboardError::Random)?;
        Ok(Token(random.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn read(path: &Path) -> Result<Option<Token>, DashboardError> {
        let opened = if_there(OpenOptions::new().read(true).custom_flags(no_follow()).open(path));
        let Some(mut file) = opened.map_err(failed("open", path))? else { return Ok(None) };
        let about = file.metadata().map_err(failed("look at", path))?;
        let refuse = |reason| Err(DashboardError::TokenUnsafe { path: path.to_owned(), reason });
        if about.mode() & 0o077 != 0 {
            return refuse("can be read by others");
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return refuse("belongs to somebody else");
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed("read", path))?;
        let text = text.trim_end();
        if text.len() != 2 * BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse("holds no token");
        }
        Ok(Some(Token(text.to_owned())))
    }

    /// Returns the token as it stands in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `true` if that is the token, in a time that does not depend on how much of it is right.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

fn make(path: &Path) -> Result<(), DashboardError> {
    let Token(text) = Token::drawn()?;
    let draft = path.with_extension(format!("token.{}", std::process::id()));
    // What a process of this number left when it was killed here is of no use to anybody.
    remove(&draft)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            writeln!(file, "{text}")?;
            // The name may outlive a power cut where the content does not, and nobody would get in any more.
            file.sync_all()
        })
        .map_err(failed("write", &draft));
    let linked = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        // Another one was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(failed("create", path)),
    });
    remove(&draft)?;
    linked
}

fn remove(draft: &Path) -> Result<(), DashboardError> {
    if_there(std::fs::remove_file(draft)).map(drop).map_err(failed("remove", draft))
}

/// Makes an open fail on a symbolic link: it could lead to a file of somebody else.
fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DashboardError {
    let path = path.to_owned();
    move |source| DashboardError::Token { operation, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token("0123abcd".to_owned());

        assert!(token.is("0123abcd"));
        for wrong in ["", "0123abc", "0123abcde", "0123abce", "1123abcd"] {
            assert!(!token.is(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_token_is_made_once_private_and_random() {
        let [one, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let state = StateDir::beside(&one.path().join("jobs.db"));

        let made = Token::of(&state, false).unwrap();
        let again = Token::of(&state, false).unwrap();
        let elsewhere = Token::of(&StateDir::beside(&other.path().join("jobs.db")), false).unwrap();

        assert_eq!(made.as_str(), again.as_str());
        assert_ne!(made.as_str(), elsewhere.as_str());
        assert_eq!(std::fs::metadata(state.dashboard_token()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_token_that_others_could_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::beside(&dir.path().join("jobs.db"));
        Token::of(&state, false).unwrap();
        std::fs::set_permissions(state.dashboard_token(), std::fs::Permissions::from_mode(0o640)).unwrap();

        let refused = Token::of(&state, false).err().unwrap().to_string();

        assert!(refused.ends_with("can be read by others: delete it, and a new one is made"), "{refused}");
    }
}
