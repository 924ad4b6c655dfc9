//! Holds the next start until its time: after a point in time, inside of a window.

use super::halt::{self, Halt};
use crate::model::{Conditions, Opening, Timestamp, Windows};
use crate::sys::zone_of;

/// The windows of a job, as the clock stood when they were last looked at.
#[derive(Default)]
pub(super) struct Schedule {
    seen: Option<Seen>,
}

struct Seen {
    windows: Windows,
    at: Timestamp,
    opening: Opening,
}

impl Schedule {
    /// Returns what the next start waits for, and until when.
    ///
    /// # Errors
    /// The reason to pause the job when the zone of its windows is not known here: it would run at wrong times.
    pub fn hold(&mut self, start: &Conditions, now: Timestamp) -> Result<Option<Timestamp>, Halt> {
        if let Some(until) = start.not_before.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        let Some(windows) = &start.window else { return Ok(None) };
        let is_fresh = |seen: &&Seen| seen.windows == *windows && seen.at <= now && now < seen.opening.until;
        let opening = match self.seen.as_ref().filter(is_fresh) {
            Some(seen) => seen.opening,
            None => {
                let zone = zone_of(&windows.zone).map_err(|error| halt::unknown_zone(&error.name))?;
                let opening = windows.opening(now, &zone);
                self.seen = Some(Seen { windows: windows.clone(), at: now, opening });
                opening
            }
        };
        Ok((!opening.is_open).then_some(opening.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * 60_000_000)
    }

    fn windows(span: &str, zone: &str) -> Conditions {
        let window = Windows { spans: vec![span.parse().unwrap()], zone: zone.to_owned() };
        Conditions { window: Some(window), ..Conditions::default() }
    }

    #[test]
    fn nothing_starts_before_its_time_nor_outside_of_its_window() {
        let mut schedule = Schedule::default();
        let start = Conditions { not_before: Some(at(30)), ..windows("01:00-02:00", "UTC") };

        for (now, until) in [(0, Some(30)), (30, Some(60)), (60, None), (119, None), (120, Some(24 * 60 + 60))] {
            assert_eq!(schedule.hold(&start, at(now)).unwrap(), until.map(at), "{now}");
        }
        // The clock was set back.
        assert_eq!(schedule.hold(&start, at(90)).unwrap(), None);
        assert_eq!(schedule.hold(&Conditions::default(), at(0)).unwrap(), None);
    }

    #[test]
    fn a_zone_that_is_not_known_here_pauses_the_job() {
        let halt = Schedule::default().hold(&windows("01:00-02:00", "Nowhere/Atlantis"), at(0)).unwrap_err();

        assert!(halt.reason.contains("Nowhere/Atlantis"), "{}", halt.reason);
    }
}
