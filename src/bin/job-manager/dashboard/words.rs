//! Words and numbers of requests.

use job_manager::model::Seq;

use super::answer::Refused;

/// Reads a word of a request; an empty one is none.
pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(given: Option<&str>) -> Result<Option<T>, Refused> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|error: T::Err| Refused::Word(error.to_string()))).transpose()
}

/// Reads words that are separated by commas.
pub(super) fn words<T: std::str::FromStr<Err: std::fmt::Display>>(given: Option<&str>) -> Result<Vec<T>, Refused> {
    given.unwrap_or_default().split(',').filter_map(|text| word(Some(text)).transpose()).collect()
}

/// Reads the number of a unit.
pub(super) fn number(seq: &str) -> Result<Seq, Refused> {
    seq.parse().map(Seq).map_err(|_| Refused::Word(format!("invalid number of a unit {seq:?}")))
}
