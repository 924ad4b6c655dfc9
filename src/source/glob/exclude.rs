//! What is skipped although a pattern finds it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::braces;
use super::component::{Component, Matcher, Name};
use super::pattern::{names, split};
use super::pattern_error::PatternError;
use crate::source::{Notes, SourceError};

/// Patterns of what is skipped.
pub(super) struct Excludes {
    all: Vec<Exclude>,
    /// Names that lead to the directory in which relative paths are, if it is known.
    here: Option<Vec<Vec<u8>>>,
}

struct Exclude {
    text: String,
    alternatives: Vec<Alternative>,
    /// Whether it has skipped anything.
    used: bool,
}

struct Alternative {
    only_directories: bool,
    what: What,
}

enum What {
    /// Files and directories with a name, wherever they are.
    Name(Matcher),
    /// One path, or several.
    Path { absolute: bool, components: Vec<Component> },
}

/// What may be skipped.
pub(super) struct Candidate<'a> {
    /// Its path, without a slash at its end.
    pub path: &'a [u8],
    /// Whether it is to be entered.
    pub is_directory: bool,
}

/// Why something is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skipped {
    /// For its name.
    Name,
    /// For its path.
    Path,
}

impl Excludes {
    /// Reads patterns of what is skipped; relative paths are meant in `below`, or else in the working directory.
    pub fn parse(texts: &[OsString], below: Option<&Path>) -> Result<Excludes, SourceError> {
        let parse = |text: &OsString| {
            let parsed = parse_all(text.as_bytes());
            let text = text.to_string_lossy().into_owned();
            match parsed {
                Ok(alternatives) => Ok(Exclude { text, alternatives, used: false }),
                Err(source) => Err(SourceError::Pattern { pattern: text, source }),
            }
        };
        let all = texts.iter().map(parse).collect::<Result<_, _>>()?;
        let here = below.map(Path::to_owned).or_else(|| std::env::current_dir().ok());
        let owned = |here: PathBuf| names(here.as_os_str().as_bytes()).map(<[u8]>::to_owned).collect();
        Ok(Excludes { all, here: here.map(owned) })
    }

    /// Looks whether something is skipped. Each exclude that does it counts as used.
    pub fn skips(&mut self, candidate: &Candidate<'_>) -> Option<Skipped> {
        let mut skipped = None;
        let name = candidate.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if self.all.is_empty() || matches!(name, b"" | b"." | b"..") {
            return skipped;
        }
        let name = Name::new(name);
        let path: Vec<&[u8]> = names(candidate.path).collect();
        let here: Option<Vec<&[u8]>> = self.here.as_ref().map(|here| here.iter().map(Vec::as_slice).collect());
        let (absolute, relative) = if candidate.path.starts_with(b"/") {
            let relative = here.and_then(|here| path.strip_prefix(here.as_slice()).map(<[&[u8]]>::to_vec));
            (Some(path), relative)
        } else {
            (here.map(|here| [here, path.clone()].concat()), Some(path))
        };
        let is_path = |is_absolute: bool, components: &[Component]| {
            let fits = |path: &Option<Vec<&[u8]>>| path.as_ref().is_some_and(|path| fit(components, path));
            // A leading slash may also mean the directory that everything starts from, as in rsync.
            fits(&relative) || (is_absolute && fits(&absolute))
        };
        for exclude in &mut self.all {
            let fitting = exclude.alternatives.iter().find_map(|alternative| match &alternative.what {
                _ if alternative.only_directories && !candidate.is_directory => None,
                What::Name(matcher) => matcher.matches(&name).then_some(Skipped::Name),
                What::Path { absolute, components } => is_path(*absolute, components).then_some(Skipped::Path),
            });
            exclude.used |= fitting.is_some();
            // What is written out in a pattern is skipped for its path only.
            skipped = if fitting == Some(Skipped::Path) { fitting } else { skipped.or(fitting) };
        }
        skipped
    }

    /// Says which excludes did nothing.
    pub fn say_which_did_nothing(&self, notes: &Notes) {
        for exclude in self.all.iter().filter(|exclude| !exclude.used) {
            notes.say(format!("the exclude {:?} skipped nothing", exclude.text));
        }
    }
}

fn parse_all(text: &[u8]) -> Result<Vec<Alternative>, PatternError> {
    if text.contains(&0) {
        return Err(PatternError::Nul);
    }
    braces::expand(text)?.iter().map(|text| parse(text)).collect()
}

fn parse(text: &[u8]) -> Result<Alternative, PatternError> {
    let mut parts = split(text)?;
    let only_directories = parts.len() > 1 && parts.last().is_some_and(Vec::is_empty);
    if only_directories {
        parts.pop();
    }
    if let [name] = parts.as_slice() {
        return Ok(Alternative { only_directories, what: What::Name(Matcher::parse(name)?) });
    }
    let absolute = parts[0].is_empty();
    let leads_on = |part: &&Vec<u8>| !part.is_empty() && part.as_slice() != b".";
    let components = parts.iter().filter(leads_on).map(|part| Component::parse(part)).collect::<Result<_, _>>()?;
    Ok(Alternative { only_directories, what: What::Path { absolute, components } })
}

/// Returns `true` if components stand for the whole of a path.
fn fit(components: &[Component], path: &[&[u8]]) -> bool {
    match (components.split_first(), path.split_first()) {
        (None, rest) => rest.is_none(),
        // At the end it is whatever is in a directory, but not the directory itself.
        (Some((Component::Below { .. }, [])), rest) => rest.is_some(),
        (Some((Component::Below { .. }, others)), rest) => {
            fit(others, path) || rest.is_some_and(|(_, below)| fit(components, below))
        }
        (Some((Component::Literal(wanted), others)), Some((name, below))) => wanted == name && fit(others, below),
        (Some((Component::Matching(matcher), others)), Some((name, below))) => {
            matcher.matches(&Name::new(name)) && fit(others, below)
        }
        (Some(_), None) => false,
    }
}
