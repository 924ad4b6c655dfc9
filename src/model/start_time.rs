//! How people write the time before which nothing starts.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;

use super::{SpellingError, Timestamp, duration};

/// The last day of which every clock has every hour.
const LAST_DAY: Date = date(9999, 12, 30);

/// A text that is not one point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartTimeError {
    /// It cannot be read.
    #[error(transparent)]
    Spelling(#[from] SpellingError),
    /// It is out of range.
    #[error("the time {given:?} is too far away, the last day is 9999-12-30")]
    TooFar {
        /// What was written.
        given: String,
    },
    /// Clocks change then.
    #[error("clocks change at {given:?}, so that it comes never or twice: give an offset, e.g. 2026-03-29T02:30+01:00")]
    NotOnce {
        /// What was written.
        given: String,
    },
}

/// Reads a time of RFC 3339, one without an offset on the clocks of `zone`, a date, the next `22:00`, or `+2h` from
/// `now` on.
pub fn start_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, StartTimeError> {
    let wrong = || SpellingError {
        given: text.to_owned(),
        what: "time",
        like: "22:00, +2h, 2026-11-26T22:00 or 2026-11-26T22:00:00Z",
    };
    if let Some(span) = text.strip_prefix('+') {
        return Ok(now + duration(span).map_err(|_| wrong())?);
    }
    if let Some(time) = time_of_day(text) {
        return next(time, now, zone).ok_or_else(|| wrong().into());
    }
    // Nothing but a time of day is shorter than a date.
    if text.len() < "2026-01-01".len() {
        return Err(wrong().into());
    }
    if has_impossible_offset(text) {
        return Err(wrong().into());
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_jiff(instant));
    }
    if let Ok(zoned) = text.parse::<jiff::ZonedDateTime>() {
        return Ok(Timestamp::from_jiff(zoned.timestamp()));
    }
    let pieces = Pieces::parse(text).map_err(|_| wrong())?;
    if pieces.date() > LAST_DAY {
        return Err(StartTimeError::TooFar { given: text.to_owned() });
    }
    let there: DateTime = text.parse().map_err(|_| wrong())?;
    let (instant, given) = (zone.to_ambiguous_timestamp(there), text.to_owned());
    if instant.is_ambiguous() {
        return Err(StartTimeError::NotOnce { given });
    }
    instant.unambiguous().map(Timestamp::from_jiff).map_err(|_| StartTimeError::TooFar { given })
}

/// Returns `true` if an offset stands after the time that reaches a day, which no clock has.
fn has_impossible_offset(text: &str) -> bool {
    let time = text.split('[').next().and_then(|text| text.get("2026-01-01".len()..)).unwrap_or_default();
    let hours = time.rfind(['+', '-']).and_then(|sign| time.get(sign + 1..sign + 3));
    hours.and_then(|hours| hours.parse::<u8>().ok()).is_some_and(|hours| hours > 23)
}

/// Reads `22:00` and `22:00:30`.
fn time_of_day(text: &str) -> Option<Time> {
    let is_clock = text.len() <= "22:00:00".len() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let text = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    if is_clock && text.contains(':') { text.parse().ok() } else { None }
}

/// Returns when clocks show that time next.
fn next(time: Time, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let instant = now.to_jiff()?;
    let today = zone.to_datetime(instant).date();
    [Some(today), today.tomorrow().ok()].into_iter().flatten().find_map(|day| {
        let at = zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()?;
        (at > instant).then(|| Timestamp::from_jiff(at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = Timestamp::from_jiff("2026-11-25T21:30:00+01:00".parse().unwrap());
        start_time(text, now, &berlin).map(|at| at.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, at) in [
            ("22:00", "2026-11-25T21:00:00.000Z"),
            ("21:30", "2026-11-26T20:30:00.000Z"),
            ("9:00", "2026-11-26T08:00:00.000Z"),
            ("21:30:01", "2026-11-25T20:30:01.000Z"),
            ("+2h", "2026-11-25T22:30:00.000Z"),
            ("+90", "2026-11-25T20:31:30.000Z"),
            ("2026-11-26T22:00", "2026-11-26T21:00:00.000Z"),
            ("2026-11-26 22:00", "2026-11-26T21:00:00.000Z"),
            ("2026-11-26", "2026-11-25T23:00:00.000Z"),
            ("2026-07-01T00:00:00Z", "2026-07-01T00:00:00.000Z"),
            ("2026-07-01T00:00:00-05:00", "2026-07-01T05:00:00.000Z"),
            ("1999-01-01", "1998-12-31T23:00:00.000Z"),
        ] {
            assert_eq!(read(text), Ok(at.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "22",
            "25:00",
            "22:60",
            "soon",
            "+",
            "+soon",
            "-2h",
            "2026-13-01",
            "2026-11-26T",
            "tomorrow",
            "1:2:3",
            ":00",
            "2026-11-27T22:00:00+25:00",
            "2026-11-27T22:00:00-24:00",
            "2026-11-27T22:00+2400",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}: {:?}", read(wrong));
        }
    }

    #[test]
    fn a_time_that_is_too_far_away_is_called_so() {
        for text in ["9999-12-31", "9999-12-31T00:00", "9999-12-31T00:00Z", "9999-12-31T23:59:59-05:00"] {
            let refused = read(text).unwrap_err();
            assert!(refused.ends_with("is too far away, the last day is 9999-12-30"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_time_that_comes_never_or_twice_is_refused() {
        assert!(read("2026-03-29T02:30").unwrap_err().starts_with("clocks change at"));
        assert!(read("2026-10-25T02:30").unwrap_err().starts_with("clocks change at"));
        assert_eq!(read("2026-10-25T02:30+01:00"), Ok("2026-10-25T01:30:00.000Z".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_time_panic(text in r"([0-9]{1,6}|[-+.:TZ\[\]/ hms]|\PC){0,12}") {
            let _ = read(&text);
        }
    }
}
