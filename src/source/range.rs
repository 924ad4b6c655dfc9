//! Numbers from one to another.
//!
//! Written with leading zeros, as in `001-100`, they are texts of that width, as shells and `seq -w` write them.

use std::str::FromStr;

use super::item::until_error;
use super::{Item, Items, Place};
use crate::model::Seq;

/// Numbers that rise from the first to the last, both included where the step meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    first: u64,
    last: u64,
    step: u64,
    /// Digits of each number; as many as it has where this is 0.
    width: usize,
}

/// A text that is not a range.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// It is not written as one.
    #[error("expected FIRST-LAST or FIRST-LAST:STEP in whole numbers from 0, e.g. 1-100, 001-100 or 1-100:2")]
    NotARange,
    /// It would go down.
    #[error("a range goes up, write {last}-{first}")]
    Descending {
        /// Its first number.
        first: u64,
        /// Its last number.
        last: u64,
    },
    /// It would never move.
    #[error("the step of a range is at least 1")]
    NoStep,
    /// It has more numbers than a job can have units.
    #[error("the range has {count} numbers, a job may have at most {limit} units")]
    TooLong {
        /// How many it has.
        count: u64,
        /// The bound.
        limit: i64,
    },
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Range, RangeError> {
        let (bounds, step) = text.split_once(':').unwrap_or((text, "1"));
        let (first, last) = bounds.split_once('-').ok_or(RangeError::NotARange)?;
        let is_padded = |bound: &str| bound.len() > 1 && bound.starts_with('0');
        let width = if is_padded(first) || is_padded(last) { first.len().max(last.len()) } else { 0 };
        if width > MAX_DIGITS {
            return Err(RangeError::NotARange);
        }
        let (first, last, step) = (number(first)?, number(last)?, number(step)?);
        if step == 0 {
            return Err(RangeError::NoStep);
        }
        if first > last {
            return Err(RangeError::Descending { first, last });
        }
        let count = ((last - first) / step).saturating_add(1);
        if i64::try_from(count).is_ok_and(|count| count <= Seq::MAX.0) {
            Ok(Range { first, last, step, width })
        } else {
            Err(RangeError::TooLong { count, limit: Seq::MAX.0 })
        }
    }
}

/// Digits of the largest number.
const MAX_DIGITS: usize = 20;

/// Reads digits only: `u64` itself takes a sign.
fn number(text: &str) -> Result<u64, RangeError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }.ok_or(RangeError::NotARange)
}

/// Returns the numbers of a range, each a JSON number, or a text where they have a width.
pub fn range(range: Range) -> Items {
    let mut next = Some(range.first);
    until_error(std::iter::from_fn(move || {
        let number = next?;
        next = number.checked_add(range.step).filter(|following| *following <= range.last);
        let payload = match range.width {
            0 => number.to_string(),
            width => format!("\"{number:0width$}\""),
        };
        Some(Ok(Item { payload, place: Place::Number(number) }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<String> {
        range(text.parse().unwrap()).map(|item| item.unwrap().payload).collect()
    }

    #[test]
    fn both_ends_are_in_it_where_the_step_meets_them() {
        assert_eq!(numbers("1-3"), ["1", "2", "3"]);
        assert_eq!(numbers("1-6:2"), ["1", "3", "5"]);
        assert_eq!(numbers("0-10:5"), ["0", "5", "10"]);
        assert_eq!(numbers("7-7:100"), ["7"]);
        assert_eq!(numbers("18446744073709551614-18446744073709551615").len(), 2);
    }

    #[test]
    fn leading_zeros_are_kept_as_the_width_of_every_number() {
        assert_eq!(numbers("001-003"), [r#""001""#, r#""002""#, r#""003""#]);
        assert_eq!(numbers("08-10"), [r#""08""#, r#""09""#, r#""10""#]);
        assert_eq!(numbers("098-100"), [r#""098""#, r#""099""#, r#""100""#]);
        assert_eq!(numbers("1-010:9"), [r#""001""#, r#""010""#]);
        assert_eq!(numbers("00-1"), [r#""00""#, r#""01""#]);
        assert_eq!(numbers("0-10:5"), ["0", "5", "10"]);
        assert_eq!(numbers("1-5:02"), ["1", "3", "5"]);
    }

    #[test]
    fn what_is_no_range_is_refused_with_its_reason() {
        let error = |text: &str| text.parse::<Range>().unwrap_err();

        for text in [
            "",
            "7",
            "-",
            "1-",
            "-1",
            "-5-5",
            "a-b",
            "1-2:",
            "1-2:x",
            "1-+2",
            "1-2-3",
            "1-18446744073709551616",
            "0000000000000000000001-2",
            " 1-2",
            "1-2 ",
            "1–2",
            "1..2",
        ] {
            assert_eq!(error(text), RangeError::NotARange, "{text:?}");
        }
        assert_eq!(error("1-2:0"), RangeError::NoStep);
        assert_eq!(error("9-1").to_string(), "a range goes up, write 1-9");
        assert_eq!(
            error("1-10000000000").to_string(),
            "the range has 10000000000 numbers, a job may have at most 4294967295 units"
        );
        assert_eq!(error("0-18446744073709551615"), RangeError::TooLong { count: u64::MAX, limit: Seq::MAX.0 });
    }
}
