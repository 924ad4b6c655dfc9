//! One walk for all patterns: at each directory it is known how far each of them has come.

use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::io;
use std::iter;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::vec;

use super::component::{Component, Name};
use super::entry::{Entry, State, Step};
use super::exclude::{Candidate, Excludes, Skipped};
use super::pattern::{Alternative, Pattern};
use super::unreadable::{Unreadable, as_path, leads_nowhere};
use crate::model::counted;
use crate::source::Notes;

/// A regular file that matches.
pub(super) struct Found {
    pub path: Vec<u8>,
    /// Number of the first pattern that matches it.
    pub pattern: usize,
}

/// Names in a directory, and what is known of their kinds.
type Listing = Vec<(Vec<u8>, Option<FileType>)>;

/// A directory with what is still to be done in it, in the order of the paths that come of it.
struct Level {
    path_bytes: usize,
    steps: vec::IntoIter<(Vec<u8>, Step)>,
}

/// The walk.
pub(super) struct Walk {
    /// The patterns as they were given.
    patterns: Vec<String>,
    alternatives: Vec<Status>,
    exclude: Excludes,
    hidden: bool,
    unreadable: Unreadable,
    /// Path of the latest level, with a slash at its end.
    path: Vec<u8>,
    levels: Vec<Level>,
}

/// An alternative, and what became of it.
struct Status {
    /// Number of its pattern.
    pattern: usize,
    alternative: Alternative,
    has_found: bool,
    is_cut: bool,
}

impl Walk {
    /// Prepares a walk; nothing is opened.
    pub fn new(patterns: Vec<Pattern>, exclude: Excludes, hidden: bool, notes: &Notes) -> Walk {
        let (mut texts, mut alternatives) = (Vec::new(), Vec::new());
        for (pattern, given) in patterns.into_iter().enumerate() {
            texts.push(given.text);
            let status = |alternative| Status { pattern, alternative, has_found: false, is_cut: false };
            alternatives.extend(given.alternatives.into_iter().map(status));
        }
        let starts = (0..alternatives.len()).map(|alternative| State { alternative, component: 0 }).collect();
        let root = Level { path_bytes: 0, steps: vec![(Vec::new(), Step::Enter(starts))].into_iter() };
        let unreadable = Unreadable::said_in(notes);
        Walk { patterns: texts, alternatives, exclude, hidden, unreadable, path: Vec::new(), levels: vec![root] }
    }

    /// Says which patterns, alternatives of patterns and excludes did nothing, when the walk is over.
    pub fn say_what_did_nothing(self, notes: &Notes) {
        // Those of one pattern follow each other; a pattern that can only be a directory has none.
        let mut left = self.alternatives.iter().peekable();
        for (number, text) in self.patterns.iter().enumerate() {
            let own: Vec<&Status> = iter::from_fn(|| left.next_if(|status| status.pattern == number)).collect();
            let lost: Vec<&&Status> = own.iter().filter(|status| !status.has_found).collect();
            let but = if lost.iter().any(|status| status.is_cut) { " that is not excluded" } else { "" };
            match lost.as_slice() {
                lost if lost.len() == own.len() => notes.say(format!("no file matches {text:?}{but}")),
                [] => {}
                [one] => notes.say(format!("no file matches {:?} of {text:?}{but}", one.alternative.text)),
                [first, others @ ..] => notes.say(format!(
                    "no file matches {:?} and {} of {text:?}{but}",
                    first.alternative.text,
                    counted(others.len(), "other alternative")
                )),
            }
        }
        self.exclude.say_which_did_nothing(notes);
    }

    fn enter(&mut self, key: &[u8], states: Vec<State>) {
        let path_bytes = self.path.len();
        self.path.extend_from_slice(key);
        let states = self.with_what_follows(states);
        let steps = self.entries(&states).into_iter().flat_map(Entry::steps);
        let mut steps: Vec<(Vec<u8>, Step)> = steps.collect();
        if self.path.is_empty() {
            // A command would take such a path for an option.
            let dashes = steps.iter_mut().filter(|(key, _)| key.starts_with(b"-"));
            dashes.for_each(|(key, _)| drop(key.splice(..0, *b"./")));
        }
        steps.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        self.levels.push(Level { path_bytes, steps: steps.into_iter() });
    }

    /// Adds what comes next where any number of directories may also be none.
    fn with_what_follows(&self, mut states: Vec<State>) -> Vec<State> {
        for at in 0..states.len() {
            let state = states[at];
            let Component::Below { not_here, .. } = self.component(state) else { continue };
            // Each component before it was one level.
            let is_elsewhere = self.levels.len() > state.component + 1;
            if !self.is_last(state) && (is_elsewhere || !not_here) {
                states.push(state.next());
            }
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    fn component(&self, state: State) -> &Component {
        &self.alternatives[state.alternative].alternative.components[state.component]
    }

    fn is_last(&self, state: State) -> bool {
        state.component + 1 == self.alternatives[state.alternative].alternative.components.len()
    }

    /// Returns what the patterns ask for in the present directory, which is listed only where a name is not known.
    fn entries(&self, states: &[State]) -> Vec<Entry> {
        let mut named: BTreeMap<&[u8], Entry> = BTreeMap::new();
        for &state in states {
            if let Component::Literal(name) =
                &self.alternatives[state.alternative].alternative.components[state.component]
            {
                let entry = named.entry(name.as_slice()).or_insert_with(|| Entry::new(name.clone(), None));
                entry.advance(state, self.is_last(state));
            }
        }
        let is_named = |state: &State| matches!(self.component(*state), Component::Literal(_));
        let searching: Vec<State> = states.iter().copied().filter(|state| !is_named(state)).collect();
        let mut entries = Vec::new();
        if !searching.is_empty() {
            match self.listing() {
                Ok(Some(listing)) => {
                    for (name, kind) in listing {
                        let mut entry = named.remove(name.as_slice()).unwrap_or_else(|| Entry::new(name, None));
                        entry.kind = kind;
                        self.match_entry(&mut entry, &searching);
                        entries.push(entry);
                    }
                }
                Ok(None) => {}
                Err(error) => self.unreadable.add(&self.path, &error),
            }
        }
        entries.extend(named.into_values());
        entries
    }

    /// Lists the present directory, if it is one, with what kind of thing each name is.
    fn listing(&self) -> io::Result<Option<Listing>> {
        let dir = if self.path.is_empty() { Path::new(".") } else { as_path(&self.path) };
        let list = || {
            let listing = fs::read_dir(dir)?
                .map(|entry| entry.map(|entry| (entry.file_name().into_vec(), entry.file_type().ok())))
                .collect::<io::Result<Listing>>()?;
            // It may be listed, and closed to everybody who wants what is in it.
            fs::metadata(dir.join("."))?;
            Ok(listing)
        };
        list().map(Some).or_else(|error| if leads_nowhere(&error) { Ok(None) } else { Err(error) })
    }

    fn match_entry(&self, entry: &mut Entry, searching: &[State]) {
        let name = Name::new(&entry.name);
        let is_hidden = !self.hidden && entry.name.starts_with(b".");
        for &state in searching {
            match self.component(state) {
                Component::Matching(matcher) => {
                    if (!is_hidden || matcher.begins_with_dot()) && matcher.matches(&name) {
                        entry.advance(state, self.is_last(state));
                    }
                }
                Component::Below { unfollowed, .. } if !is_hidden => {
                    if self.is_last(state) {
                        entry.ended.push(state.alternative);
                    }
                    if entry.kind.is_some_and(|kind| kind.is_dir()) {
                        entry.below.push(state);
                    } else if !unfollowed && !self.is_last(state) {
                        entry.below.push(state.next());
                    }
                }
                Component::Below { .. } | Component::Literal(_) => {}
            }
        }
    }

    /// Drops those of the patterns that have come to the name of `key` for which it is skipped.
    fn drop_excluded<T>(&mut self, key: &[u8], reached: &mut Vec<T>, alternative_of: fn(&T) -> usize) {
        let to_name = key.strip_suffix(b"/").unwrap_or(key);
        let path = [&self.path, to_name].concat();
        let candidate = Candidate { path: &path, is_directory: key.len() > to_name.len() };
        let Some(why) = self.exclude.skips(&candidate) else { return };
        // The first level is that from which all start, the second has the first names.
        let names_before = self.levels.len() - 2;
        reached.retain(|state| {
            let status = &mut self.alternatives[alternative_of(state)];
            let is_written_out = names_before < status.alternative.written_out;
            let is_kept = why == Skipped::Name && is_written_out;
            status.is_cut |= !is_kept;
            is_kept
        });
    }

    /// Returns the file of a name, if it is one and is not skipped.
    fn file(&mut self, name: &[u8], kind: Option<FileType>, mut ended: Vec<usize>) -> Option<Found> {
        let path = [&self.path, name].concat();
        let is_file = kind.is_some_and(|kind| kind.is_file())
            || match fs::metadata(as_path(&path)) {
                Ok(found) => found.is_file(),
                Err(error) => {
                    if !leads_nowhere(&error) {
                        self.unreadable.add(&path, &error);
                    }
                    false
                }
            };
        if !is_file {
            return None;
        }
        self.drop_excluded(name, &mut ended, |alternative| *alternative);
        for &alternative in &ended {
            self.alternatives[alternative].has_found = true;
        }
        let pattern = ended.iter().map(|&alternative| self.alternatives[alternative].pattern).min()?;
        Some(Found { path, pattern })
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            match self.levels.last_mut()?.steps.next() {
                None => {
                    let level = self.levels.pop()?;
                    self.path.truncate(level.path_bytes);
                }
                Some((key, Step::Enter(mut states))) => {
                    self.drop_excluded(&key, &mut states, |state| state.alternative);
                    if !states.is_empty() {
                        self.enter(&key, states);
                    }
                }
                Some((name, Step::File { kind, ended })) => {
                    if let Some(found) = self.file(&name, kind, ended) {
                        return Some(found);
                    }
                }
            }
        }
    }
}
