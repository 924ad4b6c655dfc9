//! Kinds of failures: what failed units have in common.

mod mask;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fnv::fnv;
use super::{Cause, RawText, Seq, UnitDetail};
use mask::mask;

/// Characters at the end of standard error that are looked at.
const END_CHARS: usize = 2048;
/// Digits of an id as people see it.
const ID_DIGITS: usize = 12;

/// Id of a kind of failure: the same failure has the same id in every job and on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(u64);

/// A text that is no id of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid cluster {text:?}, expected {ID_DIGITS} digits from 0 to f")]
pub struct ClusterIdError {
    /// The text that was given.
    pub text: String,
}

/// Failed units of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailureCluster {
    /// Id of the kind; none for the rest of a job with more kinds than are counted one by one.
    #[serde(rename = "cluster")]
    pub id: Option<ClusterId>,
    /// How their last attempts ended.
    pub cause: Cause,
    /// What their errors have in common; what differs is masked.
    pub text: String,
    /// How many units there are.
    pub count: i64,
    /// The first of them.
    pub first: Seq,
    /// The last of them.
    pub last: Seq,
    /// The error of the first one, not masked.
    pub example: String,
}

/// What is known about why one unit failed.
#[derive(Debug, Clone, Copy)]
pub struct FailureEvidence<'a> {
    /// How its last attempt ended.
    pub cause: Cause,
    /// Exit code of that attempt, if a command exited.
    pub exit_code: Option<i32>,
    /// Why, in words.
    pub error: &'a str,
    /// What it wrote to standard error, of which the end counts.
    pub stderr: Option<&'a RawText>,
}

impl FailureEvidence<'_> {
    /// Returns the words that say most: the error, and the last line of standard error where the error is an exit code.
    pub fn words(&self) -> String {
        match self.last_line() {
            Some(line) => format!("{}: {line}", self.error),
            None => self.error.to_owned(),
        }
    }

    /// Returns the words without what differs from unit to unit. An exit code is no such thing.
    pub fn masked(&self) -> String {
        match self.last_line() {
            Some(line) => format!("{}: {}", self.error, mask(&line)),
            None if self.is_exit_code() => self.error.to_owned(),
            None => mask(self.error),
        }
    }

    /// Returns the id of this kind of failure.
    pub fn cluster(&self) -> ClusterId {
        ClusterId::of(self.cause, &self.masked())
    }

    fn is_exit_code(&self) -> bool {
        self.cause == Cause::Failed && self.exit_code.is_some()
    }

    fn last_line(&self) -> Option<String> {
        let end = end_of(self.stderr.filter(|_| self.is_exit_code())?);
        end.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    }
}

impl UnitDetail {
    /// Returns why it did not complete, in the words that say most: its error, and the last line of standard error where the error is
    /// nothing but an exit code.
    pub fn reason(&self) -> Option<String> {
        let error = self.error.as_deref()?;
        // The cause is not on record with the unit: one that was ended for another reason names that.
        let exit_code = self.exit_code.filter(|code| error == format!("exited with code {code}"));
        let stderr = self.output.stderr.as_ref();
        Some(FailureEvidence { cause: Cause::Failed, exit_code, error, stderr }.words())
    }
}

/// Returns the end of what a unit wrote, as text without NUL. How much that is must stay as it is, because ids are made of it: of
/// bytes that are no text it ends with a group of three.
fn end_of(written: &RawText) -> String {
    match written.as_str().filter(|text| !text.contains('\0')) {
        Some(text) => text[text.char_indices().rev().nth(END_CHARS - 1).map_or(0, |(at, _)| at)..].to_owned(),
        None => {
            let bytes = written.as_bytes();
            let from = bytes.len().next_multiple_of(3).saturating_sub(END_CHARS + 1);
            String::from_utf8_lossy(&bytes[from..]).replace('\0', "\u{FFFD}")
        }
    }
}

impl ClusterId {
    /// Hashes a kind of failure. FNV-1a, because ids that people wrote down must not change with a library.
    pub fn of(cause: Cause, masked: &str) -> ClusterId {
        let bytes = cause.as_str().bytes().chain([0]).chain(masked.bytes());
        let hash = fnv(bytes);
        Self((hash ^ (hash >> 48)) & 0xffff_ffff_ffff)
    }

    /// Wraps a number made by [`ClusterId::as_number`].
    pub const fn from_number(number: i64) -> ClusterId {
        Self(number as u64)
    }

    /// Returns the id as a number that fits a column.
    pub const fn as_number(self) -> i64 {
        self.0 as i64
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$x}", self.0, width = ID_DIGITS)
    }
}

impl FromStr for ClusterId {
    type Err = ClusterIdError;

    fn from_str(text: &str) -> Result<Self, ClusterIdError> {
        let is_id = text.len() == ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if is_id { u64::from_str_radix(text, 16).ok() } else { None };
        number.map(Self).ok_or_else(|| ClusterIdError { text: text.to_owned() })
    }
}

impl Serialize for ClusterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClusterId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(code: i32, stderr: &str) -> ClusterId {
        let error = format!("exited with code {code}");
        let stderr = RawText::from(stderr.to_owned());
        FailureEvidence { cause: Cause::Failed, exit_code: Some(code), error: &error, stderr: Some(&stderr) }.cluster()
    }

    #[test]
    fn an_exit_code_is_joined_by_the_last_line_of_standard_error() {
        assert_eq!(command(1, "reading 1\nno space on disk 7\n\n"), command(1, "no space on disk 12"));
        assert_ne!(command(1, "no space on disk 7"), command(2, "no space on disk 7"));
        assert_ne!(command(1, "no space on disk 7"), command(1, ""));
    }

    #[test]
    fn the_end_of_standard_error_is_as_long_as_it_was_in_every_release() {
        let text = "ä".repeat(3000);
        for length in [9000, 9001, 9002] {
            // As it was cut from a column in base64, between two groups of four digits.
            assert_eq!(end_of(&vec![0xff; length].into()).chars().count(), 2049 - (3 - length % 3) % 3);
        }
        assert_eq!(end_of(&text.into()).chars().count(), 2048);
        assert_eq!(end_of(&b"a\0\xff"[..].into()), "a\u{fffd}\u{fffd}");
    }

    #[test]
    fn the_cause_is_a_part_of_the_kind() {
        let of = |cause| ClusterId::of(cause, "gone");

        assert_ne!(of(Cause::Failed), of(Cause::Panicked));
    }

    #[test]
    fn an_id_stays_what_it_was_in_every_release() {
        let id = ClusterId::of(Cause::Failed, "cannot open <path>");

        assert_eq!(id.to_string(), "266f603e07de");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(ClusterId::from_number(id.as_number()), id);
        assert!("xyz".parse::<ClusterId>().is_err());
    }
}
