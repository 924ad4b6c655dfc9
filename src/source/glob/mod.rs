//! Files that match patterns: the regular files that bash finds with `globstar` and `nullglob`.
//!
//! `*`, `?` and `[…]` stay in their component, `**` as a whole component is any number of directories, braces are
//! alternatives, a backslash takes the meaning from the next character. All patterns are followed through one walk, which
//! opens a directory only where one of them can match below, and gives the files in the order of their bytes. It holds
//! the listings of the directories on its way and nothing of what it has found, unless patterns spell paths differently.
//!
//! Unlike bash, a name that begins with `-` is given as `./-…`, braces and `**` have no other meaning inside of quotes or
//! after `$`, which are ordinary characters here, and what cannot be read is remarked.

mod braces;
mod bracket;
mod component;
mod entry;
mod exclude;
#[cfg(test)]
mod oracle;
mod pattern;
mod pattern_error;
#[cfg(test)]
mod somebody;
#[cfg(test)]
mod tests;
mod unreadable;
mod walk;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::item::until_error;
use super::{Item, Items, Notes, Place, SourceError};
use crate::model::RawText;

use exclude::Excludes;
use pattern::Pattern;
pub use pattern_error::PatternError;
use walk::{Found, Walk};

/// What a glob skips, and where it starts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GlobOptions {
    /// Patterns of what is skipped: one without a slash names files and directories at any depth, one with a slash is a
    /// path, one that ends in a slash means directories only. A directory that is skipped is not entered.
    pub exclude: Vec<OsString>,
    /// Whether names that begin with a dot match although the pattern does not say so.
    pub hidden: bool,
    /// Directory that relative patterns start from, and with which their files are then named; without it the working
    /// directory, which goes unnamed.
    pub below: Option<PathBuf>,
    /// Whether files of relative patterns are named from that directory, and not with it.
    pub unnamed: bool,
}

/// Returns the files that match any of the patterns, each once, in the order of their bytes.
///
/// When the walk is over, `notes` has the patterns and excludes that did nothing, and what could not be read.
pub fn glob(texts: &[OsString], options: &GlobOptions, notes: &Notes) -> Result<Items, SourceError> {
    let exclude = Excludes::parse(&options.exclude, options.below.as_deref())?;
    let patterns = Pattern::parse_all(texts, options.below.as_deref())?;
    let prefix = options.below.as_deref().filter(|_| options.unnamed).map(|below| Prefix::of(below, texts));
    let mut spellings = Spellings::of(&patterns);
    let mut walk = Some(Walk::new(patterns, exclude, options.hidden, notes));
    let notes = notes.clone();
    Ok(until_error(std::iter::from_fn(move || {
        loop {
            let Some(found) = walk.as_mut()?.next() else {
                walk.take()?.say_what_did_nothing(&notes);
                return None;
            };
            if spellings.as_mut().is_none_or(|spellings| spellings.is_new(&found)) {
                return Some(Ok(item(match &prefix {
                    Some(prefix) => prefix.taken_from(found),
                    None => found,
                })));
            }
        }
    })))
}

/// The directory that files of relative patterns are named without.
struct Prefix {
    dir: Vec<u8>,
    is_relative: Vec<bool>,
}

impl Prefix {
    fn of(dir: &Path, texts: &[OsString]) -> Prefix {
        let dir = dir.as_os_str().as_bytes();
        let dir = [dir.strip_suffix(b"/").unwrap_or(dir), b"/"].concat();
        Prefix { dir, is_relative: texts.iter().map(|text| !text.as_bytes().starts_with(b"/")).collect() }
    }

    fn taken_from(&self, found: Found) -> Found {
        let is_relative = self.is_relative.get(found.pattern).copied().unwrap_or(false);
        let Some(rest) = found.path.strip_prefix(self.dir.as_slice()).filter(|_| is_relative) else { return found };
        let rest = &rest[rest.iter().take_while(|byte| **byte == b'/').count()..];
        // A command would take such a path for an option.
        let dash: &[u8] = if rest.starts_with(b"-") { b"./" } else { b"" };
        Found { path: [dash, rest].concat(), pattern: found.pattern }
    }
}

fn item(Found { path, .. }: Found) -> Item {
    Item { payload: RawText::json_of(&path), place: Place::File(String::from_utf8_lossy(&path).into_owned()) }
}

/// Files under the one spelling that is taken, for patterns that spell the same path in several ways.
struct Spellings {
    /// The working directory, if it is known.
    here: Vec<u8>,
    taken: HashMap<Vec<u8>, usize>,
}

impl Spellings {
    /// Returns nothing where no two patterns can find a file under different paths.
    fn of(patterns: &[Pattern]) -> Option<Spellings> {
        let (first, others) = patterns.split_first()?;
        let spelling = first.spelling();
        if others.is_empty() || (spelling.is_some() && others.iter().all(|other| other.spelling() == spelling)) {
            return None;
        }
        let here = std::env::current_dir().map(|here| here.as_os_str().as_bytes().to_owned()).unwrap_or_default();
        Some(Spellings { here, taken: HashMap::new() })
    }

    /// Returns `true` unless another pattern has found the file under another path; the same pattern may name it twice.
    fn is_new(&mut self, found: &Found) -> bool {
        let mut plain = if found.path.starts_with(b"/") { Vec::new() } else { self.here.clone() };
        for name in pattern::names(&found.path) {
            plain.push(b'/');
            plain.extend_from_slice(name);
        }
        match self.taken.entry(plain) {
            Entry::Vacant(place) => {
                place.insert(found.pattern);
                true
            }
            Entry::Occupied(place) => *place.get() == found.pattern,
        }
    }
}
