//! When a failed unit may run again: exponential backoff with full jitter, a pure function of its arguments.

use std::time::Duration;

use super::{Limits, UnitId};

/// Returns how long a unit waits after its `attempt`-th attempt (counted from 1) failed.
///
/// The delay lies anywhere between zero and `base · 2^(attempt-1)`, bounded by the cap: full jitter spreads the
/// retries of units that failed together. The same unit and attempt always give the same delay.
pub fn backoff_delay(limits: &Limits, unit: UnitId, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(63);
    let bound =
        limits.backoff_base.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(limits.backoff_cap);
    let bound_micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    let spread = mix((unit.raw() as u64) ^ (u64::from(attempt) << 56));
    // The upper half of a 128-bit product maps the hash evenly onto the range without a division.
    let micros = ((u128::from(spread) * u128::from(bound_micros)) >> 64) as u64;
    Duration::from_micros(micros)
}

/// The finaliser of splitmix64: neighbouring unit numbers must give unrelated delays.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Seq};

    #[test]
    fn delays_stay_below_the_doubled_base_and_the_cap() {
        let limits =
            Limits { backoff_base: Duration::from_secs(1), backoff_cap: Duration::from_secs(5), ..Limits::default() };

        for seq in 1..500 {
            let unit = UnitId::new(JobId(1), Seq(seq));
            for (attempt, bound_s) in [(1, 1), (2, 2), (3, 4), (4, 5), (40, 5), (u32::MAX, 5)] {
                assert!(backoff_delay(&limits, unit, attempt) <= Duration::from_secs(bound_s));
            }
        }
    }

    #[test]
    fn neighbours_spread_over_the_whole_range() {
        let limits = Limits { backoff_base: Duration::from_secs(1), ..Limits::default() };

        let below_half = (1..=1000)
            .filter(|seq| backoff_delay(&limits, UnitId::new(JobId(1), Seq(*seq)), 1) < Duration::from_millis(500))
            .count();

        assert!((400..600).contains(&below_half), "{below_half} of 1000 below the middle");
    }
}
