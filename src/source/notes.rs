//! What a source did that is no error and must not happen in silence.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Remark;

/// Remarks about sources, for whoever asked for the items; handles of one collection share it.
///
/// Sources write while they are read, so that a collection is complete when their stream has ended.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<Note>>>);

enum Note {
    Said(Remark),
    Count(Counter, Box<dyn Fn(u64) -> String + Send>),
    Question(Box<dyn Fn() -> Option<String> + Send>),
}

/// A number that grows while a source is read.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Notes {
    /// Adds a remark.
    pub fn say(&self, remark: impl Into<Remark>) {
        self.lock().push(Note::Said(remark.into()));
    }

    /// Adds a remark about a number; nothing is said while that is 0.
    pub fn count(&self, describe: impl Fn(u64) -> String + Send + 'static) -> Counter {
        let counter = Counter::default();
        self.lock().push(Note::Count(counter.clone(), Box::new(describe)));
        counter
    }

    /// Adds a remark that is made, or not, when the remarks are asked for.
    pub fn ask(&self, question: impl Fn() -> Option<String> + Send + 'static) {
        self.lock().push(Note::Question(Box::new(question)));
    }

    /// Returns the remarks so far, in the order in which they were begun.
    pub fn remarks(&self) -> Vec<Remark> {
        let remark = |note: &Note| match note {
            Note::Said(remark) => Some(remark.clone()),
            Note::Count(counter, describe) => {
                Some(counter.number()).filter(|number| *number > 0).map(describe).map(Remark::Text)
            }
            Note::Question(question) => question().map(Remark::Text),
        };
        self.lock().iter().filter_map(remark).collect()
    }

    /// Returns the remarks so far as texts, without what a face would add to them.
    pub fn texts(&self) -> Vec<String> {
        self.remarks().iter().map(Remark::to_string).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

impl Counter {
    /// Adds one.
    pub fn increase(&self) {
        self.add(1);
    }

    /// Adds a number.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn number(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::counted;

    #[test]
    fn a_number_is_said_once_it_is_not_nought() {
        let notes = Notes::default();
        let counter = notes.count(|number| counted(number, "line"));
        let _silent = notes.count(|number| number.to_string());
        notes.say("text");

        assert_eq!(notes.texts(), ["text"]);
        counter.increase();
        assert_eq!(notes.clone().texts(), ["1 line", "text"]);
    }
}
