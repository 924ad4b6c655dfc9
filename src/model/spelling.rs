//! How people write values that are more than a number.

use std::str::FromStr;
use std::time::Duration;

/// A text that is not the value that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} {given:?}, expected e.g. {like}")]
pub struct SpellingError {
    /// What was written.
    pub given: String,
    /// What it should be, such as `rate`.
    pub what: &'static str,
    /// How that is written.
    pub like: &'static str,
}

/// Longest duration: what is added to a clock must not leave its range.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Names of units of time with their milliseconds, the largest first. A day has 24 hours.
const UNITS: [(&[&str], u64); 6] = [
    (&["w", "week", "weeks"], 7 * 86_400_000),
    (&["d", "day", "days"], 86_400_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["s", "sec", "secs", "second", "seconds"], 1000),
    (&["ms", "msec", "millisecond", "milliseconds"], 1),
];

/// Reads `30s`, `1h30m`, `1.5 h`, `2 days`, `500ms`; a bare number means seconds.
///
/// Durations are kept in milliseconds: one that is no whole number of them is refused, and so is one above 100 years.
pub fn duration(text: &str) -> Result<Duration, SpellingError> {
    let trimmed = text.trim();
    let read = millis_alone(trimmed, 1000).or_else(|| millis_in_units(trimmed)).or_else(|| millis_of_iso(trimmed));
    let read = read.map(Duration::from_millis).filter(|span| *span <= LONGEST);
    read.ok_or_else(|| SpellingError {
        given: text.to_owned(),
        what: "duration",
        like: "30s, 1h30m, 2d or 500ms (whole milliseconds, up to 100 years)",
    })
}

/// A bound in time, or none: `0` and `none` mean that there is none, as timeout(1) reads a zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit(pub Option<Duration>);

impl FromStr for TimeLimit {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<TimeLimit, SpellingError> {
        if text == "none" {
            return Ok(TimeLimit(None));
        }
        duration(text).map(|span| TimeLimit((!span.is_zero()).then_some(span)))
    }
}

/// Reads numbers with their units, each unit once, the larger ones first.
fn millis_in_units(text: &str) -> Option<u64> {
    let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0_u64);
    loop {
        let (number, after) = split_at_first(rest, |c| !c.is_ascii_digit() && c != '.');
        let (name, after) = split_at_first(after.trim_start(), |c| !c.is_ascii_alphabetic());
        // The iterator goes on after the unit that was found, so that no unit comes twice or after a smaller one.
        let (_, millis) = units.find(|(names, _)| names.contains(&name))?;
        total = total.checked_add(millis_alone(number, *millis)?)?;
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(total);
        }
    }
}

/// Reads `PT1H30M`, as ISO 8601 has it and programs write it.
fn millis_of_iso(text: &str) -> Option<u64> {
    let span: jiff::SignedDuration = text.strip_prefix('P').and_then(|_| text.parse().ok())?;
    let is_whole = span.subsec_nanos() % 1_000_000 == 0;
    u64::try_from(span.as_millis()).ok().filter(|_| is_whole)
}

/// Reads a number without a unit, which may have decimals, as so many times `unit`; none if that is no whole number.
fn millis_alone(number: &str, unit: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let decimals = match decimals.trim_end_matches('0') {
        "" => "0",
        decimals => decimals,
    };
    let scale = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let parts = decimals.parse::<u64>().ok()?.checked_mul(unit)?;
    let fraction = (parts % scale == 0).then_some(parts / scale)?;
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(fraction)
}

fn split_at_first(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let minutes = |minutes: u64| Ok(Duration::from_secs(minutes * 60));
        let millis = |millis| Ok(Duration::from_millis(millis));

        for (text, read) in [
            ("90", millis(90_000)),
            ("0.5", millis(500)),
            ("500ms", millis(500)),
            ("1.5s", millis(1500)),
            ("5 min", minutes(5)),
            ("5 minutes", minutes(5)),
            (" 5m ", minutes(5)),
            ("1h30m", minutes(90)),
            ("1h 30m", minutes(90)),
            ("1.5h", minutes(90)),
            ("1 day 2 hours", minutes(26 * 60)),
            ("1d", minutes(24 * 60)),
            ("1w", minutes(7 * 24 * 60)),
            ("0", millis(0)),
            ("PT1H30M", minutes(90)),
        ] {
            assert_eq!(duration(text), read, "{text}");
        }
    }

    #[test]
    fn a_duration_that_could_mean_another_one_is_refused_with_an_example() {
        for text in [
            "",
            " ",
            "soon",
            "-1s",
            "+5",
            "1e3",
            "1h30",
            "30m1h",
            "1h1h",
            "1 2",
            "5M",
            "1y",
            "1mo",
            "h",
            ".",
            ".5",
            "5.",
            "1,5h",
            "1..5s",
            "0.5ms",
            "0.0001",
            "101 years",
            "5300w",
            "99999999999999999999",
            "18446744073709551615w",
        ] {
            let refused = duration(text).expect_err(text).to_string();
            assert!(refused.starts_with(&format!("invalid duration {text:?}, expected e.g. 30s, 1h30m")), "{refused}");
        }
    }

    #[test]
    fn a_limit_of_zero_is_none() {
        assert_eq!("0".parse(), Ok(TimeLimit(None)));
        assert_eq!("0s".parse(), Ok(TimeLimit(None)));
        assert_eq!("none".parse(), Ok(TimeLimit(None)));
        assert_eq!("2d".parse(), Ok(TimeLimit(Some(Duration::from_secs(2 * 86_400)))));
        assert!("never".parse::<TimeLimit>().is_err());
    }
}
