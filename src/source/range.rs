//! Numbers from one to another.

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
}

/// A text that is not a range.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// It is not written as one.
    #[error("a range is written FIRST-LAST or FIRST-LAST:STEP, in whole numbers from 0")]
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
    #[error("the step of a range is 1 at least")]
    NoStep,
    /// It has more numbers than a job can have units.
    #[error("the range has {count} numbers, a job may have {limit} units at the most")]
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
        let (first, last, step) = (number(first)?, number(last)?, number(step)?);
        if step == 0 {
            return Err(RangeError::NoStep);
        }
        if first > last {
            return Err(RangeError::Descending { first, last });
        }
        let count = ((last - first) / step).saturating_add(1);
        if i64::try_from(count).is_ok_and(|count| count <= Seq::MAX.0) {
            Ok(Range { first, last, step })
        } else {
            Err(RangeError::TooLong { count, limit: Seq::MAX.0 })
        }
    }
}

/// Reads digits only: `u64` itself takes a sign.
fn number(text: &str) -> Result<u64, RangeError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }.ok_or(RangeError::NotARange)
}

/// Returns the numbers of a range, each a JSON number.
pub fn range(range: Range) -> Items {
    let mut next = Some(range.first);
    until_error(std::iter::from_fn(move || {
        let number = next?;
        next = number.checked_add(range.step).filter(|following| *following <= range.last);
        Some(Ok(Item { payload: number.to_string(), place: Place::Number(number) }))
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
    fn what_is_no_range_is_refused_with_its_reason() {
        let error = |text: &str| text.parse::<Range>().unwrap_err();

        for text in
            ["", "7", "-", "1-", "-1", "-5-5", "a-b", "1-2:", "1-2:x", "1-+2", "1-2-3", "1-18446744073709551616"]
        {
            assert_eq!(error(text), RangeError::NotARange, "{text:?}");
        }
        assert_eq!(error("1-2:0"), RangeError::NoStep);
        assert_eq!(error("9-1").to_string(), "a range goes up, write 1-9");
        assert_eq!(
            error("1-10000000000").to_string(),
            "the range has 10000000000 numbers, a job may have 4294967295 units at the most"
        );
        assert_eq!(error("0-18446744073709551615"), RangeError::TooLong { count: u64::MAX, limit: Seq::MAX.0 });
    }
}
