//! Times of day at which units may start, on the wall clock of one time zone.
//!
//! A window is open while the clock on the wall shows a time inside of it: one that lies in an hour that is skipped
//! when clocks go forward does not open on that day, one in an hour that is repeated opens twice.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{SpellingError, Timestamp};

const MINUTES_A_DAY: u16 = 24 * 60;

/// A span of each day, in minutes since midnight; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    from: u16,
    to: u16,
}

/// Windows of which one must be open, and the zone whose clocks they mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// The windows.
    pub spans: Vec<Window>,
    /// An IANA name, a fixed offset or a POSIX rule.
    pub zone: String,
}

/// Whether units may start, and until when nothing changes about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Whether one of the windows is open.
    pub is_open: bool,
    /// When that has to be asked again; the time of the change if there is one within two days.
    pub until: Timestamp,
}

impl Window {
    fn holds(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl Windows {
    /// Looks at the clock of `zone`, which is the one that is named here.
    pub fn opening(&self, now: Timestamp, zone: &TimeZone) -> Opening {
        let Some(instant) = now.to_jiff() else { return Opening { is_open: false, until: now } };
        let is_open = self.holds(zone.to_datetime(instant));
        let mut changes = self.candidates(instant, zone);
        changes.sort();
        let change = changes.into_iter().find(|at| *at > instant && self.holds(zone.to_datetime(*at)) != is_open);
        // Without a change nearby, as where the windows fill the day, it is asked again now and then.
        let until = change.map_or(now + std::time::Duration::from_secs(86_400), Timestamp::from_jiff);
        Opening { is_open, until }
    }

    fn holds(&self, at: DateTime) -> bool {
        let minute = u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0);
        self.spans.iter().any(|window| window.holds(minute))
    }

    /// Returns the times around `now` at which something may change: bounds of windows, and steps of the clock.
    fn candidates(&self, now: jiff::Timestamp, zone: &TimeZone) -> Vec<jiff::Timestamp> {
        let today = zone.to_datetime(now).date();
        let mut found: Vec<_> = zone.following(now).take(2).map(|step| step.timestamp()).collect();
        let days = (-1_i32..=2).filter_map(|day| today.checked_add(day.days()).ok());
        let minutes = || self.spans.iter().flat_map(|window| [window.from, window.to % MINUTES_A_DAY]);
        for at in days.flat_map(|day| minutes().map(move |minute| day.at(hour(minute), (minute % 60) as i8, 0, 0))) {
            let ambiguous = zone.to_ambiguous_timestamp(at);
            found.extend(ambiguous.earlier().ok());
            found.extend(ambiguous.later().ok());
        }
        found
    }
}

fn hour(minute: u16) -> i8 {
    (minute / 60) as i8
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, window) in self.spans.iter().enumerate() {
            write!(f, "{}{window}", if index > 0 { "," } else { "" })?;
        }
        write!(f, " ({})", self.zone)
    }
}

impl FromStr for Window {
    type Err = SpellingError;

    /// Reads `22:00-06:00`; `24:00` may be the end.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "window", like: "22:00-06:00" };
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
        if from == to || from == MINUTES_A_DAY { Err(wrong()) } else { Ok(Self { from, to }) }
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(hour, 1..=2) || !is_number(minute, 2..=2) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= MINUTES_A_DAY).then_some(all)
}

impl TryFrom<String> for Window {
    type Error = SpellingError;

    fn try_from(text: String) -> Result<Self, SpellingError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> String {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(spans: &[&str]) -> Windows {
        Windows { spans: spans.iter().map(|span| span.parse().unwrap()).collect(), zone: "test".to_owned() }
    }

    /// Middle Europe, without a need for a database of zones.
    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    fn opening(spans: &[&str], now: &str) -> (bool, String) {
        let Opening { is_open, until } = windows(spans).opening(at(now), &berlin());
        (is_open, until.to_string())
    }

    #[test]
    fn a_window_over_midnight_is_open_on_both_sides_of_it() {
        for (now, open, until) in [
            ("2026-11-25T21:59:59+01:00", false, "2026-11-25T21:00:00.000Z"),
            ("2026-11-25T22:00:00+01:00", true, "2026-11-26T05:00:00.000Z"),
            ("2026-11-26T00:00:00+01:00", true, "2026-11-26T05:00:00.000Z"),
            ("2026-11-26T05:59:59.5+01:00", true, "2026-11-26T05:00:00.000Z"),
            ("2026-11-26T06:00:00+01:00", false, "2026-11-26T21:00:00.000Z"),
        ] {
            assert_eq!(opening(&["22:00-06:00"], now), (open, until.to_owned()), "{now}");
        }
    }

    #[test]
    fn several_windows_unite() {
        let both = ["22:00-06:00", "05:00-07:30"];

        assert_eq!(opening(&both, "2026-11-26T05:59:00+01:00"), (true, "2026-11-26T06:30:00.000Z".to_owned()));
        assert!(opening(&["00:00-12:00", "12:00-24:00"], "2026-11-26T05:59:00+01:00").0);
        assert!(opening(&["00:00-24:00"], "2026-11-26T23:59:59+01:00").0);
    }

    #[test]
    fn the_clock_on_the_wall_counts_when_clocks_change() {
        // Forward: 02:00 is 03:00. The window begins with the hour that is there, and ends an hour earlier.
        assert_eq!(
            opening(&["02:30-05:00"], "2026-03-29T01:30:00+01:00"),
            (false, "2026-03-29T01:00:00.000Z".to_owned())
        );
        assert_eq!(
            opening(&["22:00-06:00"], "2026-03-28T23:00:00+01:00"),
            (true, "2026-03-29T04:00:00.000Z".to_owned())
        );
        // One that lies wholly in the hour that is skipped opens on the next day.
        assert_eq!(
            opening(&["02:10-02:50"], "2026-03-29T01:30:00+01:00"),
            (false, "2026-03-30T00:10:00.000Z".to_owned())
        );
        // Back: 03:00 is 02:00, and 02:30 is there twice.
        assert_eq!(
            opening(&["22:00-06:00"], "2026-10-24T23:00:00+02:00"),
            (true, "2026-10-25T05:00:00.000Z".to_owned())
        );
        assert_eq!(
            opening(&["02:00-02:30"], "2026-10-25T02:10:00+02:00"),
            (true, "2026-10-25T00:30:00.000Z".to_owned())
        );
        assert_eq!(
            opening(&["02:00-02:30"], "2026-10-25T02:40:00+02:00"),
            (false, "2026-10-25T01:00:00.000Z".to_owned())
        );
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for wrong in [
            "",
            "22-6",
            "22:00",
            "22:00-",
            "22:00-22:00",
            "24:00-06:00",
            "25:00-06:00",
            "22:60-06:00",
            "2200-0600",
            "+2:00-06:00",
            "22:0-6:00",
            "22:00-06:00-07:00",
            "22:00 - 06:00",
        ] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong:?}");
        }
        assert_eq!("9:00-24:00".parse::<Window>().unwrap().to_string(), "09:00-24:00");
    }
}
