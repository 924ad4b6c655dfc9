//! A pattern as a whole: its alternatives, each a sequence of components.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::braces;
use super::component::Component;
use super::pattern_error::{MAX_ALTERNATIVES, PatternError};
use crate::source::SourceError;

/// A pattern as it was given.
#[derive(Debug)]
pub(super) struct Pattern {
    pub text: String,
    pub alternatives: Vec<Alternative>,
}

/// One text that the braces of a pattern stand for. An empty name stands where two slashes follow each other, and before
/// the first slash of an absolute path, so that paths come out as they were written.
#[derive(Debug)]
pub(super) struct Alternative {
    pub text: String,
    pub components: Vec<Component>,
    /// Number of the directories before its first pattern: names that somebody has written out.
    pub written_out: usize,
}

impl Pattern {
    /// Reads patterns; relative ones are meant below a directory, if there is one.
    pub fn parse_all(texts: &[OsString], below: Option<&Path>) -> Result<Vec<Pattern>, SourceError> {
        let mut left = MAX_ALTERNATIVES;
        let mut parse = |text: &OsString| {
            let alternatives = alternatives(text.as_bytes(), below).and_then(|all| {
                left = left.checked_sub(all.len()).ok_or(PatternError::TooManyAlternatives)?;
                Ok(all)
            });
            let text = text.to_string_lossy().into_owned();
            match alternatives {
                Ok(alternatives) => Ok(Pattern { text, alternatives }),
                Err(source) => Err(SourceError::Pattern { pattern: text, source }),
            }
        };
        texts.iter().map(&mut parse).collect()
    }

    /// Returns `Some(true)` if it finds absolute paths, `Some(false)` if relative ones; none when it can spell paths in
    /// more than one way.
    pub fn spelling(&self) -> Option<bool> {
        let is_empty = |part: &Component| matches!(part, Component::Literal(name) if name.is_empty());
        let is_dot = |part: &Component| is_empty(part) || matches!(part, Component::Literal(name) if name == b".");
        let mut spellings = self.alternatives.iter().map(|alternative| {
            let (first, others) = alternative.components.split_first()?;
            let is_plain = !others.iter().any(is_dot) && (is_empty(first) || !is_dot(first));
            is_plain.then(|| is_empty(first))
        });
        let first = spellings.next().unwrap_or(Some(false));
        first.filter(|_| spellings.all(|other| other == first))
    }
}

/// Returns the names in a path, without those that lead nowhere.
pub(super) fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

fn alternatives(text: &[u8], below: Option<&Path>) -> Result<Vec<Alternative>, PatternError> {
    if text.contains(&0) {
        return Err(PatternError::Nul);
    }
    let mut alternatives = Vec::new();
    for text in braces::expand(text)? {
        let parts = split(&text)?;
        // What ends in a slash is a directory, and nothing is no file either.
        if parts.last().is_some_and(|last| !last.is_empty()) {
            let text = String::from_utf8_lossy(&text).into_owned();
            alternatives.push(alternative(text, &parts, below)?);
        }
    }
    Ok(alternatives)
}

fn alternative(text: String, parts: &[Vec<u8>], below: Option<&Path>) -> Result<Alternative, PatternError> {
    let is_literal = |component: &Component| matches!(component, Component::Literal(_));
    let stars = parts.iter().take_while(|part| part.is_empty() || *part == b"**").count();
    let mut components = match below {
        Some(below) if !parts[0].is_empty() => components_of(below),
        _ => Vec::new(),
    };
    for (at, part) in parts.iter().enumerate() {
        let is_behind_pattern = !components.iter().all(is_literal);
        // After a pattern bash writes one slash, however many there were.
        if part.is_empty() && is_behind_pattern {
            continue;
        }
        let component = match Component::parse(part)? {
            // At the very beginning bash looks into no links that `**` finds; with two slashes after it, into those
            // but not into the directory from which it starts.
            Component::Below { .. } => {
                let is_first = at < stars && !parts[0].is_empty();
                let has_two_slashes = is_first && parts[stars - 1].is_empty();
                Component::Below { unfollowed: is_first && !has_two_slashes, not_here: has_two_slashes }
            }
            component => component,
        };
        if !matches!((components.last(), &component), (Some(Component::Below { .. }), Component::Below { .. })) {
            components.push(component);
        }
    }
    let written_out = components.iter().take_while(|component| is_literal(component)).count().min(components.len() - 1);
    Ok(Alternative { text, components, written_out })
}

/// Splits a pattern at its slashes; one after a backslash is a slash too, because no name has any.
pub(super) fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    let mut parts = vec![Vec::new()];
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        let quoted = if byte == b'\\' { Some(*bytes.next().ok_or(PatternError::TrailingBackslash)?) } else { None };
        if quoted.unwrap_or(byte) == b'/' {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(byte);
            part.extend(quoted);
        }
    }
    Ok(parts)
}

/// Returns the components of a directory, whatever characters are in it.
fn components_of(dir: &Path) -> Vec<Component> {
    let mut parts: Vec<&[u8]> = dir.as_os_str().as_bytes().split(|byte| *byte == b'/').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts.into_iter().map(|part| Component::Literal(part.to_owned())).collect()
}
