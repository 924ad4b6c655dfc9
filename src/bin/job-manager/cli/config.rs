//! Defaults of one user: `config.toml` in the directory of configurations, and nowhere else, so that no directory in which somebody works
//! can choose a database or a program that is run.
//!
//! It is a small part of TOML: `KEY = VALUE` on a line of its own, the value a string or a whole number. Whatever else stands there is an
//! error that names the line. Options and variables of the environment come before it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::error::CliError;
use super::values;
use crate::system::own_user;

/// What can be set.
pub(super) const KEYS: [&str; 4] = ["db", "workers", "max-attempts", "hook"];
/// The same as `max-attempts`.
const ATTEMPTS: &str = "attempts";
/// No such file is larger.
const MOST_BYTES: u64 = 64 * 1024;
/// Bits of others in the mode of a file that they can write.
const OTHERS_WRITE: u32 = 0o022;

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

/// A value as it is written.
enum Written {
    Text(String),
    Number(String),
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
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Config::default());
            }
            Err(error) => return Err(failed(&error)),
        };
        let about = file.metadata().map_err(|error| failed(&error))?;
        if !about.is_file() {
            return Err(failed(&"it is no file"));
        }
        if ![own_user(), 0].contains(&about.uid()) || about.mode() & OTHERS_WRITE != 0 {
            return Err(failed(&"others can write to it, and it names programs that are run: `chmod go-w` helps"));
        }
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
        let config = Self::parse(&text)
            .map_err(|(line, why)| CliError::Value(format!("{}, line {line}: {why}", path.display())))?;
        Ok(Config { file: Some(path), ..config })
    }

    fn parse(text: &str) -> Result<Config, (usize, String)> {
        let mut config = Config::default();
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let entry = entry(line).map_err(|why| (number, why))?;
            if let Some((key, value)) = entry {
                config.set(&key, value, number).map_err(|why| (number, why))?;
            }
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: Written, line: usize) -> Result<(), String> {
        let wrong = |why: String| format!("{key}: {why}");
        match key {
            "db" => {
                let path = PathBuf::from(value.text("a path or a URL").map_err(wrong)?);
                if !path.is_absolute() && !path.to_string_lossy().contains("://") {
                    return Err(wrong(format!(
                        "{path:?} depends on the directory in which it is read: write an absolute path"
                    )));
                }
                put(&mut self.db, key, path, line)
            }
            "workers" => put(&mut self.workers, key, values::workers(&value.any()).map_err(wrong)?, line),
            "max-attempts" | ATTEMPTS => {
                put(&mut self.max_attempts, key, values::at_least_one(&value.any()).map_err(wrong)?, line)
            }
            "hook" => put(&mut self.hook, key, value.text("a program").map_err(wrong)?.into(), line),
            _ => Err(format!("unknown key {key:?}, expected one of {}", KEYS.join(", "))),
        }
    }
}

fn put<T>(place: &mut Option<Set<T>>, key: &str, value: T, line: usize) -> Result<(), String> {
    match place {
        Some(before) => Err(format!("{key} is set on line {} too", before.line)),
        None => {
            *place = Some(Set { value, line });
            Ok(())
        }
    }
}

impl Written {
    fn any(self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    fn text(self, what: &str) -> Result<String, String> {
        match self {
            Self::Text(text) if text.is_empty() => Err(format!("it is empty, expected {what}")),
            Self::Text(text) => Ok(text),
            Self::Number(number) => Err(format!("{number} is a number, expected {what} in quotes")),
        }
    }
}

/// Reads a line; none if nothing stands there.
fn entry(line: &str) -> Result<Option<(String, Written)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.starts_with('[') {
        return Err(format!("there are no tables: {} stand alone", KEYS.join(", ")));
    }
    let (key, rest) = line.split_once('=').ok_or_else(|| format!("expected KEY = VALUE, not {line:?}"))?;
    let (value, rest) = value(rest.trim_start())?;
    let rest = rest.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(format!("{rest:?} follows the value"));
    }
    Ok(Some((key.trim().trim_matches('"').to_owned(), value)))
}

/// Reads a value, and returns what follows it.
fn value(text: &str) -> Result<(Written, &str), String> {
    if let Some(literal) = text.strip_prefix('\'') {
        let (value, rest) = literal.split_once('\'').ok_or("a string without its end")?;
        return Ok((Written::Text(value.to_owned()), rest));
    }
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        return match number {
            "" => Err(format!("expected a number or a string in quotes, not {text:?}")),
            _ => Ok((Written::Number(number.to_owned()), rest)),
        };
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((Written::Text(value), &quoted[at + 1..])),
            '\\' => value.push(match letters.next() {
                Some((_, same @ ('"' | '\\'))) => same,
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, other)) => return Err(format!("unknown escape \\{other}, or take single quotes")),
                None => break,
            }),
            _ => value.push(letter),
        }
    }
    Err("a string without its end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_read_with_their_lines() {
        let text = "# defaults\ndb = '/srv/a b.db'\n\nworkers=8 # of 16\nattempts = \"2\"\nhook = \"/bin/t\\\"ell\"\n";

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
            ("workers = many", 1, "expected a number or a string in quotes"),
            ("workers = 1\nworkers = 2", 2, "workers is set on line 1 too"),
            ("db = \"jobs.db\"", 1, "write an absolute path"),
            ("hook = 7", 1, "hook: 7 is a number"),
            ("hook = ''", 1, "it is empty"),
            ("hook = \"a", 1, "a string without its end"),
            ("[jobs]", 1, "there are no tables"),
            ("workers", 1, "expected KEY = VALUE"),
            ("workers = 8 9", 1, "\"9\" follows the value"),
            ("max-attempts = 0", 1, "max-attempts: "),
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
