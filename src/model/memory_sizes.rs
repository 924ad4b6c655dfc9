//! How much memory an attempt may have, and how much the next one after it was too little.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Bytes, SpellingError};

/// Memory of attempts: so much at first, and twice as much each time that the kernel has ended one for want of it, up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemorySizes {
    #[serde(rename = "first_bytes")]
    first: Bytes,
    #[serde(rename = "most_bytes")]
    most: Bytes,
}

impl MemorySizes {
    /// Returns what the next attempt may have; `used` is the most that one had which the kernel has ended.
    pub fn after(self, used: Option<u64>) -> Bytes {
        // An end comes a little below the limit, because the kernel counts in larger steps.
        let is_too_little = |size: u64| used.is_some_and(|used| used >= size - size / 8);
        let mut size = self.first.0;
        while size < self.most.0 && is_too_little(size) {
            size = size.saturating_mul(2).min(self.most.0);
        }
        Bytes(size)
    }

    /// Returns what the first attempt has, and what none may have more than.
    pub fn bounds(self) -> [Bytes; 2] {
        [self.first, self.most]
    }

    /// Returns `true` if a later attempt may have more than the first.
    pub fn may_grow(self) -> bool {
        self.first < self.most
    }

    /// Returns `true` if no attempt may have more than that.
    pub fn is_most(self, size: Bytes) -> bool {
        size >= self.most
    }
}

impl FromStr for MemorySizes {
    type Err = SpellingError;

    /// Reads `4G` or `4G..16G`.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "amount of memory", like: "4G or 4G..16G" };
        let (first, most) = text.split_once("..").unwrap_or((text, text));
        let (first, most): (Bytes, Bytes) = first.parse().ok().zip(most.parse().ok()).ok_or_else(wrong)?;
        if first > most { Err(wrong()) } else { Ok(Self { first, most }) }
    }
}

impl fmt::Display for MemorySizes {
    /// Writes it as people say it: `4 GiB, up to 16 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_most(self.first) {
            true => self.first.fmt(f),
            false => write!(f, "{}, up to {}", self.first, self.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn an_attempt_after_one_that_was_ended_has_twice_as_much_up_to_the_bound() {
        let sizes: MemorySizes = "100M..300M".parse().unwrap();
        let after = |used: u64| sizes.after(Some(used * MIB)).0 / MIB;

        assert_eq!(sizes.after(None).0, 100 * MIB);
        // One that somebody has killed had less than its limit.
        assert_eq!((after(20), after(99), after(100), after(198), after(300)), (100, 200, 200, 300, 300));
        assert!(sizes.is_most(Bytes(300 * MIB)) && !sizes.is_most(Bytes(200 * MIB)));
    }

    #[test]
    fn sizes_are_read_as_they_are_written_and_a_bound_below_the_first_is_none() {
        let same: MemorySizes = "2G".parse().unwrap();
        let up_to: MemorySizes = "512M..2G".parse().unwrap();

        assert_eq!((same.to_string(), up_to.to_string()), ("2 GiB".into(), "512 MiB, up to 2 GiB".into()));
        for wrong in ["", "4", "2G..1G", "1G..", "..1G", "1G-2G"] {
            assert!(wrong.parse::<MemorySizes>().is_err(), "{wrong:?}");
        }
    }
}
