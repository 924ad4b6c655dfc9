//! Points in time as the database keeps them: microseconds since the Unix epoch, UTC.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A wall-clock instant with microsecond resolution.
///
/// Used for what people read and for retry times; never to decide whether a process lives, because wall clocks jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Reads the wall clock.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(micros(since_epoch))
    }

    /// Wraps microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the same instant for calculations with dates; none where no calendar reaches.
    pub(crate) fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }

    /// Takes an instant, to the microsecond.
    pub(crate) fn from_jiff(instant: jiff::Timestamp) -> Self {
        Self(instant.as_microsecond())
    }

    /// Returns the time that passed since `earlier`, zero when the clock went backwards.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(micros(span)))
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC, with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// Reads RFC 3339.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_jiff(jiff::Timestamp::deserialize(deserializer)?))
    }
}

/// Writes an instant as people read it: by the clock of this place, to the second, with how far that is from UTC.
pub fn local_time(instant: Timestamp) -> String {
    match instant.to_jiff() {
        Some(at) => jiff::ZonedDateTime::new(at, TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        None => instant.to_string(),
    }
}

/// Writes a span as people say it, to two units.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) if s < 10 => format!("{:.1}s", span.as_secs_f64()),
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m{s:02}s"),
        (0, h, m, _) => format!("{h}h{m:02}m"),
        (d, h, _, _) => format!("{d}d{h:02}h"),
    }
}

/// Writes a span so that it is read as the same; what is below a millisecond is no part of it.
pub fn exact_span(span: Duration) -> String {
    let mut left = span.as_millis();
    let mut text = String::new();
    for (name, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if left >= millis {
            text.push_str(&format!("{}{name}", left / millis));
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Writes the instants in a text as [`local_time`] does: expected texts are the same wherever tests run.
#[cfg(test)]
pub fn with_local_times(text: &str) -> String {
    let local = |word: &str| word.parse::<jiff::Timestamp>().map(Timestamp::from_jiff).map(local_time);
    let words = text.split(' ').map(|word| {
        let (instant, rest) = word.split_at(word.find('Z').map_or(0, |at| at + 1));
        local(instant).map_or_else(|_| word.to_owned(), |local| format!("{local}{rest}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_rfc_3339_with_milliseconds() {
        let instant = Timestamp::from_micros(1_780_000_000_123_456);

        assert_eq!(instant.to_string(), "2026-05-28T20:26:40.123Z");
    }

    #[test]
    fn people_read_the_same_instant_by_their_clock_without_milliseconds() {
        let instant = Timestamp::from_micros(1_780_000_000_123_456);
        let shown = local_time(instant);

        let read = jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %:z", &shown).unwrap();
        assert_eq!(read.as_second(), 1_780_000_000, "{shown}");
        assert_eq!(local_time(Timestamp::from_micros(i64::MAX)), format!("{}us", i64::MAX));
    }

    #[test]
    fn a_clock_that_went_backwards_measures_zero() {
        let later = Timestamp::from_micros(5);

        assert_eq!(Timestamp::from_micros(1).since(later), Duration::ZERO);
    }

    #[test]
    fn spans_read_as_people_say_them() {
        assert_eq!(span(Duration::from_millis(1500)), "1.5s");
        assert_eq!(span(Duration::from_secs(75)), "1m15s");
        assert_eq!(span(Duration::from_secs(90_000)), "1d01h");
    }
}
