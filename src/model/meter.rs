//! What a job counts of each attempt, such as money or tokens, and within which bounds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::bounds::time_unit;
use super::{Amount, AmountError, MeterPath, SpellingError, Timestamp};

/// A meter of a job: what it counts, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Meter {
    /// Its name, such as `usd`.
    pub name: String,
    /// Where in the JSON that an attempt prints its number stands; without it attempts say what they spend while they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<MeterPath>,
    /// Whether an attempt that ends by itself without a number there has cost nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_lack: bool,
    /// How much may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// What an attempt is taken to cost until some have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Amount>,
    /// How much may be spent in a span of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<AmountRate>,
}

/// How much a job may spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The amount.
    pub amount: Amount,
    /// The time zone whose days it is for; none where it is for the whole job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_zone: Option<String>,
}

/// How much may be spent in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountRate {
    /// The amount.
    pub amount: Amount,
    /// Milliseconds in which it may be spent.
    pub per_ms: u64,
}

/// A bound of a meter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// It is not written as it should be.
    #[error(transparent)]
    Spelling(#[from] SpellingError),
    /// Its amount is none.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Its amount is zero, with which nothing would ever start.
    #[error("{given:?} is zero, with which no unit would ever start")]
    Zero {
        /// What was written.
        given: String,
    },
}

impl Meter {
    /// Most meters of a job.
    pub const MOST: usize = 8;

    /// Makes a meter without bounds.
    pub fn new(name: impl Into<String>) -> Meter {
        Meter { name: name.into(), path: None, may_lack: false, budget: None, reserve: None, rate: None }
    }

    /// Returns `true` if a text may be the name of a meter.
    pub fn is_name(text: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_part)
    }

    /// Returns `true` if its budget is for each day.
    pub fn is_daily(&self) -> bool {
        self.budget.as_ref().is_some_and(|budget| budget.day_zone.is_some())
    }

    /// Returns `true` if starts of units depend on what it has counted.
    pub fn is_bounded(&self) -> bool {
        self.budget.is_some() || self.rate.is_some()
    }
}

impl FromStr for Meter {
    type Err = SpellingError;

    /// Reads `usd=.total_cost_usd`, `usd=.total_cost_usd:-0` where it may be missing, or `usd`.
    fn from_str(text: &str) -> Result<Meter, SpellingError> {
        let (name, path) = text.split_once('=').map_or((text, None), |(name, path)| (name, Some(path)));
        let mut meter = Meter::new(meter_name(name)?);
        if let Some(path) = path {
            let (path, default) = path.split_once(":-").map_or((path, None), |(path, default)| (path, Some(default)));
            if default.is_some_and(|default| default != "0") {
                let like = "usd=.total_cost_usd:-0, because no other number can stand for a missing one";
                return Err(SpellingError { given: text.to_owned(), what: "meter", like });
            }
            meter.may_lack = default.is_some();
            meter.path = Some(path.parse()?);
        }
        Ok(meter)
    }
}

/// Reads the name of a meter.
fn meter_name(text: &str) -> Result<&str, SpellingError> {
    let wrong = || SpellingError { given: text.to_owned(), what: "name of a meter", like: "usd or output_tokens" };
    if Meter::is_name(text) { Ok(text) } else { Err(wrong()) }
}

impl Budget {
    /// Reads `50`, or `20/day` on the clocks of a zone that is asked for then.
    pub fn parse<E: From<MeterError>>(text: &str, zone: impl FnOnce() -> Result<String, E>) -> Result<Budget, E> {
        let (amount, is_daily) = text.strip_suffix("/day").map_or((text, false), |amount| (amount, true));
        let amount = positive(amount)?;
        Ok(Budget { amount, day_zone: is_daily.then(zone).transpose()? })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, if self.day_zone.is_some() { "/day" } else { "" })
    }
}

impl AmountRate {
    /// Returns how many millionths may be spent in a second.
    pub(crate) fn per_second(self) -> f64 {
        self.amount.millionths() as f64 * 1000.0 / self.per_ms.max(1) as f64
    }
}

impl FromStr for AmountRate {
    type Err = MeterError;

    /// Reads `90000/min` or `2.5/30s`.
    fn from_str(text: &str) -> Result<AmountRate, MeterError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "rate", like: "90000/min or 2.5/30s" };
        let (amount, span) = text.split_once('/').ok_or_else(wrong)?;
        let per_ms = u64::try_from(time_unit(span)?.as_millis()).ok().filter(|ms| *ms > 0).ok_or_else(wrong)?;
        Ok(AmountRate { amount: positive(amount)?, per_ms })
    }
}

impl fmt::Display for AmountRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.amount, super::span(Duration::from_millis(self.per_ms)))
    }
}

fn positive(text: &str) -> Result<Amount, MeterError> {
    match text.parse()? {
        Amount::ZERO => Err(MeterError::Zero { given: text.to_owned() }),
        amount => Ok(amount),
    }
}

/// Returns when the day that `now` is in began on the clocks of a zone, and when the next one begins.
pub(crate) fn day_of(now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let today = zone.to_datetime(now.to_jiff()?).date();
    let start = |day: Date| zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok();
    Some((Timestamp::from_jiff(start(today)?), Timestamp::from_jiff(start(today.checked_add(1.day()).ok()?)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_written_as_its_name_and_a_path() {
        let meter: Meter = "usd=.cost:-0".parse().unwrap();
        assert_eq!((meter.name.as_str(), meter.may_lack), ("usd", true));
        assert_eq!(meter.path.unwrap().to_string(), ".cost");
        assert_eq!("usd".parse(), Ok(Meter::new("usd")));
        for wrong in ["", "=.a", "usd=", "usd=a", "u.s=.a", "1usd=.a", "usd=.a:-1"] {
            let read = wrong.parse::<Meter>();
            assert!(read.as_ref().is_err() || wrong == "usd=.a:-1", "{wrong}: {read:?}");
        }
    }

    #[test]
    fn budgets_and_rates_are_amounts_above_zero() {
        let zone = || Ok::<_, MeterError>("UTC".to_owned());
        assert_eq!(Budget::parse("20/day", zone).unwrap().to_string(), "20/day");
        assert_eq!(Budget::parse("49.5", zone).unwrap().day_zone, None);
        for wrong in ["0", "-1", "", "20/week", "NaN"] {
            assert!(Budget::parse(wrong, zone).is_err(), "{wrong}");
        }
        assert_eq!("90000/min".parse::<AmountRate>().unwrap().per_ms, 60_000);
        for wrong in ["0/min", "90000", "1/0s", "-1/s"] {
            assert!(wrong.parse::<AmountRate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_is_one_of_its_zone_also_when_clocks_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        let now = Timestamp::from_jiff("2026-03-29T10:00:00Z".parse().unwrap());

        let (start, end) = day_of(now, &zone).unwrap();

        assert!(start <= now && now < end);
        let hours = end.since(start).as_secs() / 3600;
        assert!(hours == 23 || zone == TimeZone::UTC, "{hours}");
    }
}
