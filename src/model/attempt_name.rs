//! By what a process names the attempt that it belongs to.
//!
//! The number alone does not tell attempts isolation: one that is interrupted is not counted, and a retry counts from 1 again. The
//! cookie in the environment of a unit's processes does, and every one of them inherits it.

use super::Epoch;
#[cfg(feature = "cli")]
use super::Seq;

/// The attempt that a command speaks for: its number, and what tells it from others of that number as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptName {
    /// Its number.
    pub number: u32,
    /// The lease under which it runs.
    pub epoch: Option<Epoch>,
    /// Changes by clients that the unit had seen, and when the attempt started, in microseconds since the Unix epoch.
    pub begun: Option<(i64, i64)>,
}

impl AttemptName {
    /// Reads the cookie of an attempt at a unit; `None` for another one's, which a command may have set for its children.
    ///
    /// Older versions wrote the lease and the number only.
    #[cfg(feature = "cli")]
    pub fn of_cookie(cookie: &str, seq: Seq, number: u32) -> Option<AttemptName> {
        let (attempt, _database) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (_uid, numbers) = attempt.split_once(':')?;
        let numbers: Vec<i64> = numbers.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
        let (&[of_unit, epoch, of_attempt], rest) = numbers.split_first_chunk()?;
        let begun = if let &[revision, started_us] = rest { Some((revision, started_us)) } else { None };
        let is_own = of_unit == seq.0 && of_attempt == i64::from(number);
        is_own.then_some(AttemptName { number, epoch: Some(Epoch(epoch)), begun })
    }
}

impl From<u32> for AttemptName {
    fn from(number: u32) -> AttemptName {
        AttemptName { number, epoch: None, begun: None }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_names_its_attempt_in_the_form_of_every_version() {
        let of = |cookie| AttemptName::of_cookie(cookie, Seq(7), 2);
        let known = AttemptName { number: 2, epoch: Some(Epoch(3)), begun: Some((1, 5)) };

        assert_eq!(of("0199-a:7:3:2:1:5;8:9:/jobs.db"), Some(known));
        assert_eq!(of("0199-a:7:3:2;8:9:/jobs.db"), Some(AttemptName { begun: None, ..known }));
        assert_eq!(of("0199-a:7:3:2"), Some(AttemptName { begun: None, ..known }));
        for other in ["0199-a:8:3:2:1:5;", "0199-a:7:3:1:1:5;", "0199-a:7:3", "0199-a:x:3:2;", ""] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
