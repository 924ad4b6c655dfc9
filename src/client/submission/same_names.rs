//! Words of a command that hold nothing of an item but its file name: equal names in different directories then make equal
//! words, and where such a word is an output, one unit overwrites what another one made.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::handler::{Template, UnitTemplates, UnitValues};
use crate::model::Seq;
use crate::model::counted;
use crate::source::{Counter, Notes};

/// Words that are remembered, some 16 bytes each; later ones are not compared.
const MAX_WORDS: usize = 1_000_000;

/// Looks for words that repeat while units are made.
pub(super) struct SameNames {
    words: Vec<Template>,
    seen: HashSet<u64>,
    repeated: Counter,
    not_compared: Counter,
}

impl SameNames {
    /// Watches a command; `None` when none of its words is made of names only.
    pub fn watch(templates: &UnitTemplates, notes: &Notes) -> Option<SameNames> {
        let words = templates.name_words();
        let written = words.first()?.written();
        let repeated = notes.count(move |count| {
            format!(
                "{} with the same name as an earlier one, so that {written} is the same for both: where it is an output, \
                 one overwrites the other; add their directory, {{//}}, or the number, {{#}}",
                counted(count, "item")
            )
        });
        let not_compared = notes.count(|count| {
            format!("{} more than {MAX_WORDS} were not looked at for repeated names", counted(count, "name"))
        });
        Some(SameNames { words, seen: HashSet::new(), repeated, not_compared })
    }

    /// Looks at the words of one more unit.
    pub fn look(&mut self, payload: &str) {
        // What has no value is refused elsewhere.
        let Ok(values) = UnitValues::parse(payload) else { return };
        for (index, word) in self.words.iter().enumerate() {
            let Ok(text) = word.render(&values, 0, Seq::FIRST) else { continue };
            let mut hasher = DefaultHasher::new();
            (index, text.as_bytes()).hash(&mut hasher);
            if self.seen.len() < MAX_WORDS {
                if !self.seen.insert(hasher.finish()) {
                    self.repeated.increase();
                }
            } else if self.seen.contains(&hasher.finish()) {
                self.repeated.increase();
            } else {
                self.not_compared.increase();
            }
        }
    }
}
