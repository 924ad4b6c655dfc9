//! Commands that may be run, known by where they are found.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use job_manager::model::RawText;
use job_manager::submission::find_program;

use super::{AllowError, Refused};

/// The word that allows every command.
const ALL: &str = "*";

/// Commands, by name for people and by path for us.
#[derive(Debug, Clone)]
pub(super) enum Commands {
    All,
    These(Vec<(String, PathBuf)>),
}

impl Commands {
    pub fn of(names: &[OsString]) -> Result<Commands, AllowError> {
        if names.iter().any(|name| name == ALL) {
            return Ok(Commands::All);
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let found = |name: &OsString| {
            let text = name.to_string_lossy().into_owned();
            match find_program(name, &here) {
                Ok(path) => Ok((text, place(&path))),
                Err(source) => Err(AllowError::Command { name: text, source: Box::new(source) }),
            }
        };
        Ok(Commands::These(names.iter().map(found).collect::<Result<_, _>>()?))
    }

    /// Returns the place of a command that is there and is not allowed.
    pub fn refused_place(&self, word: &str, cwd: &Path) -> Option<PathBuf> {
        match self.expect_word(word, cwd) {
            Err(Refused::Command { .. }) => find_program(word.as_ref(), cwd).ok().map(|path| place(&path)),
            _ => None,
        }
    }

    /// Returns these and one more.
    pub fn and(&self, name: String, place: PathBuf) -> Commands {
        match self {
            Self::All => Self::All,
            Self::These(those) => Self::These(those.iter().cloned().chain([(name, place)]).collect()),
        }
    }

    /// Lists them by name, and says whether all are allowed instead.
    pub fn listed(&self) -> (Vec<String>, bool) {
        match self {
            Self::All => (Vec::new(), true),
            Self::These(those) => (those.iter().map(|(name, _)| name.clone()).collect(), false),
        }
    }

    /// Refuses a command whose first word is not an allowed one, before anything is looked up for it.
    pub fn expect_word(&self, word: &str, cwd: &Path) -> Result<(), Refused> {
        if matches!(self, Self::All) {
            return Ok(());
        }
        if word.contains(['{', '}']) {
            return Err(Refused::ProgramOfItems(word.to_owned()));
        }
        match find_program(word.as_ref(), cwd) {
            Ok(path) => self.expect_found(word, &path),
            // Whether it is there is nobody's business who may not run it.
            Err(_) => Err(self.refused(word)),
        }
    }

    /// Refuses a program that was found and is not an allowed one.
    pub fn expect_found(&self, word: &str, path: &Path) -> Result<(), Refused> {
        match self {
            Self::These(those) if !those.iter().any(|(_, allowed)| *allowed == place(path)) => Err(self.refused(word)),
            _ => Ok(()),
        }
    }

    /// Refuses the command of a job unless its program was found when it was made, and is an allowed one.
    pub fn expect_program(&self, word: Option<&RawText>, program: Option<&Path>) -> Result<(), Refused> {
        let word = || word.map(|word| word.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        match (self, program) {
            (Self::All, _) => Ok(()),
            (Self::These(_), None) => Err(Refused::ProgramOfItems(word())),
            (Self::These(_), Some(program)) => self.expect_found(&word(), program),
        }
    }

    fn refused(&self, word: &str) -> Refused {
        Refused::Command { name: word.to_owned(), allowed: self.to_string() }
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::These(those) if those.is_empty() => f.write_str("none"),
            Self::These(those) => {
                let names: Vec<&str> = those.iter().map(|(name, _)| name.as_str()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

/// Returns where a program is: its directory without links, and its own name, by which one that is many things knows which
/// of them it is.
fn place(path: &Path) -> PathBuf {
    let dir = path.parent().and_then(|dir| dir.canonicalize().ok());
    match (dir, path.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => path.to_owned(),
    }
}
