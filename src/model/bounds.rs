//! Bounds that concern a job as a whole: how fast units start, how many may fail.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{SpellingError, duration};

/// How many attempts may start in a span of time; they are spread evenly over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Attempts.
    pub units: u32,
    /// Milliseconds in which they may start.
    pub per_ms: u64,
}

impl Rate {
    /// Returns the time between the starts of two attempts.
    pub fn interval(self) -> Duration {
        Duration::from_millis(self.per_ms) / self.units.max(1)
    }

    /// Returns that of each of so many managers which start them.
    pub(crate) fn interval_among(self, managers: usize) -> Duration {
        self.interval() * u32::try_from(managers).unwrap_or(u32::MAX)
    }
}

impl FromStr for Rate {
    type Err = SpellingError;

    /// Reads `60/min`, `5/s`, `1000/h` or `10/30s`.
    fn from_str(text: &str) -> Result<Rate, SpellingError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "rate", like: "60/min, 5/s or 10/30s" };
        let (units, span) = text.split_once('/').ok_or_else(wrong)?;
        let units = units.parse().ok().filter(|units| *units > 0).ok_or_else(wrong)?;
        let per_ms = u64::try_from(time_unit(span)?.as_millis()).ok().filter(|ms| *ms > 0).ok_or_else(wrong)?;
        Ok(Rate { units, per_ms })
    }
}

/// Reads the span of a rate: `s`, `min`, `h`, `day`, or a duration.
pub(super) fn time_unit(text: &str) -> Result<Duration, SpellingError> {
    Ok(match text {
        "s" | "sec" => Duration::from_secs(1),
        "min" | "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        "d" | "day" => Duration::from_secs(86_400),
        other => duration(other)?,
    })
}

/// Failed units at which a job pauses by itself, counted from its latest start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFailures {
    /// So many.
    Units(u64),
    /// That share of all units, in per cent.
    Percent(u8),
}

impl MaxFailures {
    /// Returns the number of failures in a job of `total` units at which it pauses; never 0.
    pub fn of(self, total: i64) -> u64 {
        let total = u64::try_from(total).unwrap_or(0);
        match self {
            Self::Units(units) => units.max(1),
            Self::Percent(percent) => (total * u64::from(percent)).div_ceil(100).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_units_is_rounded_up_to_a_whole_one() {
        assert_eq!(MaxFailures::Percent(5).of(1_000), 50);
        assert_eq!(MaxFailures::Percent(5).of(30), 2);
        assert_eq!(MaxFailures::Percent(5).of(0), 1);
        assert_eq!(MaxFailures::Units(7).of(3), 7);
    }

    #[test]
    fn rates_are_units_in_a_span_of_time() {
        assert_eq!("600/min".parse(), Ok(Rate { units: 600, per_ms: 60_000 }));
        assert_eq!("10/30s".parse(), Ok(Rate { units: 10, per_ms: 30_000 }));
        assert!("0/s".parse::<Rate>().is_err());
        assert!("10".parse::<Rate>().is_err());
    }

    #[test]
    fn attempts_are_spread_evenly() {
        assert_eq!(Rate { units: 600, per_ms: 60_000 }.interval(), Duration::from_millis(100));
    }
}
