//! Units that completed and that a person is to look at, because somebody doubts that what they say is right.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::words;
use super::{AttemptEnd, MeterPath, Seq, SpellingError, Timestamp, UnitOutcome};

/// What a person has decided about a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// What it says is right.
    Accepted,
    /// Another unit does it again, and replaces it.
    Redone,
}

words!(Decision, "decision", { Accepted => "accepted", Redone => "redone" });

/// A doubt about a unit that completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// The unit.
    pub seq: Seq,
    /// What is doubtful, in words.
    pub text: String,
    /// What was decided; none while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What whoever decided had to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which units a filter selects by their flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flagged {
    /// Those with one, whatever was decided.
    Any,
    /// Those with one that nobody has decided about.
    Undecided,
    /// All but those.
    NotUndecided,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

/// Comparisons as they are written; the longer ones first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Characters of a value that a doubt names.
const SHOWN_CHARS: usize = 200;

/// A comparison of one value of a result with a constant, such as `.confidence < 0.8`: where it holds, the unit is flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FlagIf {
    path: MeterPath,
    comparison: Comparison,
    constant: Value,
}

// The constant is never NaN, which JSON does not have.
impl Eq for FlagIf {}

impl FlagIf {
    /// Returns what is doubtful about a result, if something is. A value that is missing, or that cannot be compared with the constant,
    /// is doubtful as well: somebody expected it.
    pub fn doubt(&self, result: Option<&str>) -> Option<String> {
        let document: Option<Value> = result.and_then(|result| serde_json::from_str(result).ok());
        let Some(value) = document.as_ref().and_then(|document| self.path.find(document)) else {
            return Some(format!("{self}: there is no {}", self.path));
        };
        match self.holds(value) {
            Some(true) => Some(format!("{self}: it is {}", shown(value))),
            Some(false) => None,
            None => Some(format!("{self}: it is {}, which cannot be compared with that", shown(value))),
        }
    }

    /// Flags an attempt that completed, where its result is doubtful.
    pub(crate) fn judge(&self, end: AttemptEnd) -> AttemptEnd {
        let UnitOutcome::Completed { result } = &end.outcome else { return end };
        let doubt = self.doubt(result.as_deref());
        end.flagged(doubt)
    }

    fn holds(&self, value: &Value) -> Option<bool> {
        let order = match (value, &self.constant) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                // Whole numbers may be larger than those that a float tells apart.
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
            },
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        let same = order.map_or_else(|| *value == self.constant, Ordering::is_eq);
        match self.comparison {
            Comparison::Equal => Some(same),
            Comparison::Unequal => Some(!same),
            Comparison::Less => order.map(Ordering::is_lt),
            Comparison::AtMost => order.map(Ordering::is_le),
            Comparison::Greater => order.map(Ordering::is_gt),
            Comparison::AtLeast => order.map(Ordering::is_ge),
        }
    }
}

impl FromStr for FlagIf {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<FlagIf, SpellingError> {
        let wrong = || SpellingError {
            given: text.to_owned(),
            what: "comparison",
            like: ".confidence < 0.8 or .verdict != \"sure\" (one path, one of < <= > >= == !=, one JSON constant)",
        };
        let at = text.find(['<', '>', '=', '!']).ok_or_else(wrong)?;
        let (path, rest) = text.split_at(at);
        let (sign, comparison) = COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(wrong)?;
        let path = path.trim().parse().map_err(|_| wrong())?;
        let constant: Value = serde_json::from_str(rest[sign.len()..].trim()).map_err(|_| wrong())?;
        let has_order = constant.is_number() || constant.is_string();
        let needs_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if constant.is_array() || constant.is_object() || needs_order && !has_order {
            return Err(wrong());
        }
        Ok(FlagIf { path, comparison, constant })
    }
}

impl fmt::Display for FlagIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS.into_iter().find(|(_, comparison)| *comparison == self.comparison);
        write!(f, "{} {} {}", self.path, sign.map_or("", |(sign, _)| sign), self.constant)
    }
}

impl TryFrom<String> for FlagIf {
    type Error = SpellingError;

    fn try_from(text: String) -> Result<FlagIf, SpellingError> {
        text.parse()
    }
}

impl From<FlagIf> for String {
    fn from(of: FlagIf) -> String {
        of.to_string()
    }
}

/// Returns a value as a doubt names it; the result itself has all of a long one.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_names_the_beginning_of_a_long_value() {
        let condition: FlagIf = ".a != 1".parse().unwrap();

        let doubt = condition.doubt(Some(&format!("{{\"a\": \"{}\"}}", "ü".repeat(5_000)))).unwrap();

        assert_eq!(doubt.chars().count(), ".a != 1: it is ".len() + SHOWN_CHARS + 1, "{doubt}");
    }

    #[test]
    fn a_result_is_doubtful_where_the_comparison_holds_or_cannot_be_made() {
        let doubt = |condition: &str, result: &str| condition.parse::<FlagIf>().unwrap().doubt(Some(result)).is_some();

        for (condition, well, doubtful) in [
            (".confidence < 0.8", r#"{"confidence": 0.8}"#, r#"{"confidence": 0.79}"#),
            (".confidence<=0.8", r#"{"confidence": 0.81}"#, r#"{"confidence": 0.80}"#),
            (".a[-1].b > 5", r#"{"a": [{"b": 9}, {"b": 5}]}"#, r#"{"a": [{"b": 6}]}"#),
            (".n >= 5", r#"{"n": 4}"#, r#"{"n": 5.0}"#),
            (".verdict != \"sure\"", r#"{"verdict": "sure"}"#, r#"{"verdict": "perhaps"}"#),
            (".ok == false", r#"{"ok": true}"#, r#"{"ok": false}"#),
            (".x == null", r#"{"x": 1}"#, r#"{"x": null}"#),
            (".n == 1", r#"{"n": 2}"#, r#"{"n": 1.0}"#),
            (".n == 9007199254740993", r#"{"n": 9007199254740992}"#, r#"{"n": 9007199254740993}"#),
            (".confidence < 0.8", r#"{"confidence": 1}"#, r#"{"confidence": "0.9"}"#),
            (".confidence < 0.8", r#"{"confidence": 1}"#, "{}"),
            (".confidence < 0.8", r#"{"confidence": 1}"#, "no json"),
        ] {
            assert!(!doubt(condition, well), "{condition} {well}");
            assert!(doubt(condition, doubtful), "{condition} {doubtful}");
        }
        assert!(".a < 1".parse::<FlagIf>().unwrap().doubt(None).is_some());
    }

    #[test]
    fn a_comparison_comes_back_as_it_was_given_and_more_than_one_is_refused() {
        for text in [".a < 0.8", ".a.b[0] != \"x\"", "[0] == null"] {
            assert_eq!(text.parse::<FlagIf>().unwrap().to_string(), text);
        }
        for wrong in
            ["", ".a", ".a <", "a < 1", ".a < x", ".a < 1 and .b > 2", ".a < [1]", ".a < true", ".a = 1", ".a =< 1"]
        {
            assert!(wrong.parse::<FlagIf>().is_err(), "{wrong}");
        }
    }
}
