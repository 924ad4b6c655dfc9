//! Time zones: the one of this process, by a name that means the same on every machine.

use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;

/// What a zone without rules is called: the clocks of a machine that says nothing about its zone show UTC.
const UTC: &str = "UTC";

/// A time zone that is not known here.
#[derive(Debug, thiserror::Error)]
#[error("the time zone {name} is not known on this machine")]
pub struct ZoneError {
    /// Its name, or where a name was looked for.
    pub name: String,
    /// The cause.
    pub source: jiff::Error,
}

/// Returns the time zone of this process: its IANA name or POSIX rule where it has one, else its present offset.
///
/// # Errors
/// When TZ names a zone that is not known here.
pub fn own_zone() -> Result<String, ZoneError> {
    let named = |name: &str| zone_of(name).map(|_| name.to_owned());
    // jiff itself takes a name that it does not know for UTC.
    match std::env::var("TZ") {
        Ok(tz) if tz.is_empty() => return Ok(UTC.to_owned()),
        Ok(tz) if !tz.starts_with([':', '/']) => return named(&tz),
        _ => {}
    }
    let Ok(zone) = TimeZone::try_system() else { return Ok(UTC.to_owned()) };
    if zone.is_unknown() {
        return Ok(UTC.to_owned());
    }
    let printer = DateTimePrinter::new();
    let name = printer.time_zone_to_string(&zone);
    let offset = || printer.time_zone_to_string(&TimeZone::fixed(zone.to_offset(Timestamp::now())));
    name.or_else(|_| offset()).map_err(|source| ZoneError { name: "of the system".to_owned(), source })
}

/// Returns the time zone of a name, an offset or a POSIX rule.
pub fn zone_of(name: &str) -> Result<TimeZone, ZoneError> {
    DateTimeParser::new().parse_time_zone(name).map_err(|source| ZoneError { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_the_name_that_it_was_stored_under() {
        let instant: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();

        for (name, seconds) in [("UTC", 0), ("+02:00", 7200), ("CET-1CEST,M3.5.0,M10.5.0/3", 7200)] {
            assert_eq!(zone_of(name).unwrap().to_offset(instant).seconds(), seconds, "{name}");
        }
        assert!(zone_of("Nowhere/Atlantis").is_err());
        zone_of(&own_zone().unwrap()).unwrap();
    }
}
