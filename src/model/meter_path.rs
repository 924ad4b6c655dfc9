//! Where in a JSON document a number is, and what it says.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Amount, SpellingError};

/// A place in a JSON document: `.usage.output_tokens`, `.calls[0].cost`, `.calls[-1].cost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MeterPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The member of an object.
    Member(String),
    /// The element of an array, from its end where it is negative.
    Element(i64),
}

impl MeterPath {
    /// Returns the number at that place of a document, if there is one that is an amount.
    pub fn amount_in(&self, document: &str) -> Option<Amount> {
        self.value_in(serde_json::from_str(document).ok()?)?.get().parse().ok()
    }

    /// Returns `true` if a document has nothing at that place, or null.
    pub fn is_missing_in(&self, document: &str) -> bool {
        serde_json::from_str(document)
            .is_ok_and(|document| self.value_in(document).is_none_or(|value| value.get() == "null"))
    }

    /// Returns the value at that place of a document, if there is one.
    pub(crate) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(document, |at, step| match step {
            Step::Member(name) => at.as_object()?.get(name),
            Step::Element(place) => {
                let elements = at.as_array()?;
                let length = i64::try_from(elements.len()).ok()?;
                elements.get(usize::try_from(if *place < 0 { length + place } else { *place }).ok()?)
            }
        })
    }

    fn value_in<'a>(&self, document: &'a RawValue) -> Option<&'a RawValue> {
        let mut at = document;
        for step in &self.steps {
            at = match step {
                Step::Member(name) => {
                    serde_json::from_str::<BTreeMap<String, &RawValue>>(at.get()).ok()?.remove(name)?
                }
                Step::Element(place) => {
                    let elements: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
                    let length = i64::try_from(elements.len()).ok()?;
                    let place = if *place < 0 { length + place } else { *place };
                    elements.get(usize::try_from(place).ok()?).copied()?
                }
            };
        }
        Some(at)
    }
}

impl FromStr for MeterPath {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<MeterPath, SpellingError> {
        let wrong = || SpellingError {
            given: text.to_owned(),
            what: "path of a number",
            like: ".usage.cost or .calls[0].cost",
        };
        let (mut steps, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (place, after) = after.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::Element(place.parse().map_err(|_| wrong())?));
                rest = after;
                continue;
            }
            let after = rest.strip_prefix('.').ok_or_else(wrong)?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() {
                return Err(wrong());
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        }
        if steps.is_empty() { Err(wrong()) } else { Ok(MeterPath { steps }) }
    }
}

impl fmt::Display for MeterPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element(place) => write!(f, "[{place}]"),
        })
    }
}

impl TryFrom<String> for MeterPath {
    type Error = SpellingError;

    fn try_from(text: String) -> Result<MeterPath, SpellingError> {
        text.parse()
    }
}

impl From<MeterPath> for String {
    fn from(path: MeterPath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_where_its_path_leads() {
        let document =
            r#"{"usage": {"cost": 0.12, "a b": 3, "text": "1", "less": -1}, "calls": [{"cost": 1}, {"cost": 2e0}]}"#;
        let found =
            |path: &str| path.parse::<MeterPath>().unwrap().amount_in(document).map(|amount| amount.to_string());

        assert_eq!(found(".usage.cost").as_deref(), Some("0.12"));
        assert_eq!(found(".usage.a b").as_deref(), Some("3"));
        assert_eq!(found(".calls[0].cost").as_deref(), Some("1"));
        assert_eq!(found(".calls[-1].cost").as_deref(), Some("2"));
        for none in
            [".usage", ".usage.text", ".usage.less", ".usage.cost.more", ".calls[2].cost", ".calls[-3].cost", ".x"]
        {
            assert_eq!(found(none), None, "{none}");
        }
        assert_eq!(".a".parse::<MeterPath>().unwrap().amount_in("no json"), None);
        let is_missing = |path: &str, document| path.parse::<MeterPath>().unwrap().is_missing_in(document);
        assert!(is_missing(".x.y", document) && is_missing(".a", r#"{"a":null}"#));
        assert!(
            !is_missing(".usage.less", document)
                && !is_missing(".usage.text", document)
                && !is_missing(".a", "no json")
        );
        assert_eq!("[0]".parse::<MeterPath>().unwrap().amount_in("[7]").map(Amount::millionths), Some(7_000_000));
    }

    #[test]
    fn a_path_comes_back_as_it_was_given() {
        for text in [".a.b", ".a[0].b", "[-1]"] {
            assert_eq!(text.parse::<MeterPath>().unwrap().to_string(), text);
        }
        for wrong in ["", "a", ".", ".a.", ".a..b", ".a[", ".a[x]", ".a[0]b"] {
            assert!(wrong.parse::<MeterPath>().is_err(), "{wrong}");
        }
    }
}
