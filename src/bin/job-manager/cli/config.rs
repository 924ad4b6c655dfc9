//! Defaults of one user: `config.toml` in the directory of configurations, and nowhere else, so that no directory in which somebody works
//! can choose a database or a program that is run.
//!
//! A key that is not known, or a value that cannot be, is an error that names the line. Options and variables of the environment come before it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use job_manager::model::Limits;
use toml::{Spanned, Value};

use super::error::CliError;
use super::values;
use crate::system::own_user;

/// What can be set.
pub(super) const KEYS: [&str; 4] = ["db", "workers", "max-attempts", "hook"];
/// No such file is larger.
const MOST_BYTES: u64 = 64 * 1024;
/// Bits of others in the mode of a file that they can write.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// What the file says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Config {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    pub db: Option<Set<PathBuf>>,
    pub workers: Option<Set<usize>>,
    pub max_attempts: Option<Set<u32>>,
    pub hook: Option<Set<OsString>>,
}

/// A value, and the line on which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set<T> {
    pub value: T,
    pub line: usize,
}

impl Config {
    /// Returns the place of the file.
    pub fn path() -> Result<PathBuf, CliError> {
        let dirs = etcetera::base_strategy::Xdg::new().map_err(|_| CliError::NoHome)?;
        Ok(dirs.config_dir().join("job-manager").join("config.toml"))
    }

    /// Reads the file, if there is one.
    pub fn read() -> Result<Config, CliError> {
        let path = Self::path()?;
        let failed = |why: &dyn fmt::Display| CliError::Value(format!("cannot read {}: {why}", path.display()));
        // Before it is opened: to open a pipe may take for ever.
        match fs::metadata(&path) {
            Ok(about) if about.is_file() => {}
            Ok(_) => return Err(failed(&"it is not a regular file")),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Config::default());
            }
            Err(error) => return Err(failed(&error)),
        }
        let file = fs::File::open(&path).map_err(|error| failed(&error))?;
        let about = file.metadata().map_err(|error| failed(&error))?;
        if ![own_user(), 0].contains(&about.uid()) {
            return Err(failed(&"it belongs to another user, and it names a program to run"));
        }
        if about.mode() & OTHERS_WRITE != 0 {
            return Err(failed(&format!(
                "others can write to it, and it names a program to run: `chmod go-w {}`",
                path.display()
            )));
        }
        refuse_open_directories(&path).map_err(|why| failed(&why))?;
        if about.len() > MOST_BYTES {
            return Err(failed(&format!("it has more than {} KiB", MOST_BYTES / 1024)));
        }
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
        let config = Self::parse(&text)
            .map_err(|(line, why)| CliError::Value(format!("{}, line {line}: {why}", path.display())))?;
        Ok(Config { file: Some(path), ..config })
    }

    fn parse(text: &str) -> Result<Config, (usize, String)> {
        let line_of = |place: usize| text[..place].matches('\n').count() + 1;
        let entries: BTreeMap<String, Spanned<Value>> = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            (line, error.message().to_owned())
        })?;
        let mut config = Config::default();
        for (key, value) in entries {
            let line = line_of(value.span().start);
            config.set(&key, value.into_inner(), line).map_err(|why| (line, why))?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: Value, line: usize) -> Result<(), String> {
        let wrong = |why: String| format!("{key}: {why}");
        match key {
            "db" => {
                let path = PathBuf::from(text(value, "a path or a URL").map_err(wrong)?);
                if !path.is_absolute() && !path.to_string_lossy().contains("://") {
                    return Err(wrong(depends(&path.to_string_lossy())));
                }
                self.db = Some(Set { value: path, line });
            }
            "workers" => {
                let value = number(value).and_then(|number| values::workers(&number)).and_then(few).map_err(wrong)?;
                self.workers = Some(Set { value, line });
            }
            "max-attempts" => {
                let value = number(value).and_then(|number| values::at_least_one(&number)).map_err(wrong)?;
                self.max_attempts = Some(Set { value, line });
            }
            "hook" => {
                let program = text(value, "a program").map_err(wrong)?;
                if program.contains('/') && !program.starts_with('/') {
                    return Err(wrong(depends(&program)));
                }
                self.hook = Some(Set { value: program.into(), line });
            }
            _ => return Err(format!("unknown key {key:?}, expected one of {}", KEYS.join(", "))),
        }
        Ok(())
    }
}

/// Refuses a number of workers that no job may have.
fn few(workers: usize) -> Result<usize, String> {
    let most = Limits::MAX_WORKERS;
    if workers > most { Err(format!("it must be at most {most}")) } else { Ok(workers) }
}

/// Refuses a file that others can replace: by its name, or by that of the file to which it is a link.
fn refuse_open_directories(path: &Path) -> Result<(), String> {
    let target = fs::canonicalize(path).map_err(|error| error.to_string())?;
    for dir in [path, &target].into_iter().filter_map(Path::parent) {
        let about = fs::metadata(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        if ![own_user(), 0].contains(&about.uid()) {
            return Err(format!("its directory {} belongs to another user, who can replace it", dir.display()));
        }
        // In one that is sticky nobody replaces files of others.
        if about.mode() & OTHERS_WRITE != 0 && about.mode() & STICKY == 0 {
            return Err(format!(
                "others can write to its directory {}, and so replace it: `chmod go-w` helps",
                dir.display()
            ));
        }
    }
    Ok(())
}

fn depends(path: &str) -> String {
    format!("{path:?} depends on the directory in which it is read: write an absolute path")
}

fn text(value: Value, what: &str) -> Result<String, String> {
    match value {
        Value::String(text) if text.is_empty() => Err(format!("it is empty, expected {what}")),
        Value::String(text) => Ok(text),
        other => Err(format!("expected {what} in quotes, not of the type {}", other.type_str())),
    }
}

/// Returns what a number is read from: itself, or a text that holds one.
fn number(value: Value) -> Result<String, String> {
    match value {
        Value::Integer(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text),
        other => Err(format!("expected a whole number, not of the type {}", other.type_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_read_with_their_lines() {
        let text =
            "# defaults\ndb = '/srv/a b.db'\n\nworkers=8 # of 16\nmax-attempts = \"2\"\nhook = \"/bin/t\\\"ell\"\n";

        let config = Config::parse(text).unwrap();

        assert_eq!(config.db, Some(Set { value: "/srv/a b.db".into(), line: 2 }));
        assert_eq!(config.workers, Some(Set { value: 8, line: 4 }));
        assert_eq!(config.max_attempts, Some(Set { value: 2, line: 5 }));
        assert_eq!(config.hook, Some(Set { value: "/bin/t\"ell".into(), line: 6 }));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, said) in [
            ("worker = 8", 1, "unknown key \"worker\", expected one of db, workers, max-attempts, hook"),
            ("\nworkers = 0", 2, "workers: invalid number of workers"),
            ("workers = many", 1, ""),
            ("workers = 1\nworkers = 2", 2, "duplicate key"),
            ("db = \"jobs.db\"", 1, "write an absolute path"),
            ("hook = './tell'", 1, "write an absolute path"),
            ("hook = 7", 1, "hook: expected a program in quotes"),
            ("hook = ''", 1, "it is empty"),
            ("workers = 2\nhook = \"a", 2, ""),
            ("[jobs]\nworkers = 2", 1, "unknown key \"jobs\""),
            ("workers", 1, ""),
            ("workers = 8 9", 1, ""),
            ("workers = 8.5", 1, "workers: "),
            ("max-attempts = 0", 1, "max-attempts: "),
            ("\nworkers = 5000", 2, "workers: it must be at most 1024"),
        ] {
            let (at, why) = Config::parse(text).unwrap_err();
            assert!(at == line && why.contains(said), "{text:?}: {at}: {why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text in r#"([a-z-]{1,8}|[="'#\\ \n\[]|\PC){0,30}"#) {
            let _ = Config::parse(&text);
        }
    }
}
