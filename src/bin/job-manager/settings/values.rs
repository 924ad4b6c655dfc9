//! Values of limits, as they are written.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use job_manager::client;
use job_manager::model::{Amount, Limits, MaxFailures, Meter, Timestamp};
use job_manager::text::{self, SpellingError};

/// Reads what the model calls a duration.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    text::duration(text).map_err(|error| error.to_string())
}

/// Reads a duration above zero, for the time between TERM and KILL: timeout(1) takes a zero for never, others for at once.
pub(crate) fn kill_after(text: &str) -> Result<Duration, String> {
    let span = duration(text)?;
    if span.is_zero() { Err("invalid delay 0, expected e.g. 10s, or 1ms to kill at once".to_owned()) } else { Ok(span) }
}

/// Reads what has one spelling.
pub(crate) fn spelled<T: FromStr<Err = SpellingError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: SpellingError| error.to_string())
}

/// Reads a whole number above zero, such as the number of items of a unit.
pub(crate) fn at_least_one<T: FromStr + From<NonZeroU32>>(text: &str) -> Result<T, String> {
    whole(text, 1, u32::MAX).map(|number| T::from(NonZeroU32::new(number).expect("it is at least 1")))
}

/// Reads a whole number, written with digits alone.
pub(crate) fn whole<T: FromStr + PartialOrd + Display>(text: &str, least: T, most: T) -> Result<T, String> {
    match text.strip_prefix('-').unwrap_or(text) {
        digits if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("it must be a whole number".to_owned())
        }
        _ if text.starts_with('-') => Err(format!("it must be at least {least}")),
        digits => match digits.parse::<T>() {
            Ok(number) if number < least => Err(format!("it must be at least {least}")),
            Ok(number) if number <= most => Ok(number),
            _ => Err(format!("it must be at most {most}")),
        },
    }
}

/// Reads `22:00`, `+2h` or RFC 3339.
pub(crate) fn start_time(text: &str) -> Result<Timestamp, String> {
    client::start_time(text).map_err(|error| error.to_string())
}

/// Reads `1s..5m`; one duration alone is both bounds.
pub(crate) fn backoff(text: &str) -> Result<(Duration, Duration), String> {
    let (base, cap) = text.split_once("..").unwrap_or((text, text));
    let (base, cap) = (duration(base)?, duration(cap)?);
    if base <= cap { Ok((base, cap)) } else { Err(format!("{text:?}: the first bound is above the second")) }
}

/// Reads `20`, or `5%` of all units.
pub(crate) fn max_failures(text: &str) -> Result<MaxFailures, String> {
    let wrong = || format!("invalid number of failures {text:?}, expected e.g. 20 or 5%");
    match text.strip_suffix('%') {
        Some(percent) => {
            percent.parse().ok().filter(|p| (1..=100).contains(p)).map(MaxFailures::Percent).ok_or_else(wrong)
        }
        None => text.parse().ok().filter(|n| *n > 0).map(MaxFailures::Units).ok_or_else(wrong),
    }
}

/// Reads the fewest units that are to run at a time.
pub(crate) fn adapt(text: &str) -> Result<usize, String> {
    whole(text, 1, Limits::MAX_WORKERS)
}

/// Reads how many units of a group may run at a time.
pub(crate) fn most(text: &str) -> Result<usize, String> {
    whole(text, 1, Limits::MAX_WORKERS)
}

/// Reads how many units of a group may fail.
pub(crate) fn group_failures(text: &str) -> Result<u64, String> {
    at_least_one::<u32>(text).map(u64::from)
}

/// Reads `0.5`.
pub(crate) fn amount(text: &str) -> Result<Amount, String> {
    text.parse().map_err(said)
}

/// Reads the name of a meter.
pub(crate) fn meter_name(text: &str) -> Result<String, String> {
    let wrong = || format!("invalid name of a meter {text:?}, expected e.g. usd or output_tokens");
    if Meter::is_name(text) { Ok(text.to_owned()) } else { Err(wrong()) }
}

pub(crate) fn said(error: impl Display) -> String {
    error.to_string()
}
