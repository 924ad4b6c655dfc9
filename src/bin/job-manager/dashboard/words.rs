//! Words and numbers of requests. What cannot be read is refused under the name that it has there.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use job_manager::model::Seq;

use super::answer::Refused;

/// Reads a word of a request; an empty one is none.
pub(super) fn word<T: FromStr<Err: Display>>(name: &'static str, given: Option<&str>) -> Result<Option<T>, Refused> {
    let given = given.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|error: T::Err| wrong(name, error.to_string()))).transpose()
}

/// Reads words that are separated by commas.
pub(super) fn words<T: FromStr<Err: Display>>(name: &'static str, given: Option<&str>) -> Result<Vec<T>, Refused> {
    given.unwrap_or_default().split(',').filter_map(|text| word(name, Some(text)).transpose()).collect()
}

/// Reads a whole number of a request; an empty one is none.
pub(super) fn whole(name: &'static str, given: Option<&str>) -> Result<Option<i64>, Refused> {
    let given = given.filter(|text| !text.is_empty());
    let read =
        |text: &str| text.parse().map_err(|_| wrong(name, format!("invalid {name} {text:?}, expected a number")));
    given.map(read).transpose()
}

/// Reads the number of a unit.
pub(super) fn number(seq: &str) -> Result<Seq, Refused> {
    let refused = || Refused::Word(format!("invalid number of a unit {seq:?}"));
    seq.parse().ok().filter(is_number).map(Seq).ok_or_else(refused)
}

/// Takes the number of a unit that stands under a name in a request.
pub(super) fn seq(name: &'static str, number: i64) -> Result<Seq, Refused> {
    if is_number(&number) { Ok(Seq(number)) } else { Err(wrong(name, format!("invalid number of a unit {number}"))) }
}

fn is_number(number: &i64) -> bool {
    (1..=Seq::MAX.0).contains(number)
}

/// Refuses what stands under a name in a request.
pub(super) fn wrong(name: impl Into<Cow<'static, str>>, message: String) -> Refused {
    Refused::Parameter { name: name.into(), message }
}
