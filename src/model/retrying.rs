//! Units that failed and wait for another attempt: nobody would see them by the counts alone.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{Seq, counted};

/// Units of a job that failed and wait for another attempt. As text it is the sentence that every face shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrying {
    /// How many there are.
    pub units: i64,
    /// Whether there may be more: they are counted up to a bound.
    pub at_least: bool,
    /// The unit among them whose attempt ended last.
    pub seq: Seq,
    /// Why that attempt failed.
    pub last: String,
}

impl fmt::Display for Retrying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        let wait = if self.units == 1 { "waits" } else { "wait" };
        write!(f, "{least}{} {wait} for another attempt, last: {}", counted(self.units, "unit"), self.last)
    }
}

impl Serialize for Retrying {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Retrying", 5)?;
        document.serialize_field("units", &self.units)?;
        document.serialize_field("at_least", &self.at_least)?;
        document.serialize_field("seq", &self.seq)?;
        document.serialize_field("last", &self.last)?;
        document.serialize_field("sentence", &self.to_string())?;
        document.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_wait_for_another_attempt_are_one_sentence_for_people_and_programs() {
        let mut retrying =
            Retrying { units: 3, at_least: false, seq: Seq(2), last: "exited with code 1: disk full".to_owned() };

        let document = serde_json::to_value(&retrying).unwrap();

        let sentence = "3 units wait for another attempt, last: exited with code 1: disk full";
        assert_eq!(document["sentence"], sentence);
        assert_eq!((&document["units"], &document["seq"]), (&3.into(), &2.into()));
        (retrying.units, retrying.at_least) = (1, true);
        assert!(retrying.to_string().starts_with("at least 1 unit waits for another attempt, last: "));
    }
}
