//! What attempts take of the machine: processor time and memory.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Amount, Costs};

/// What one attempt took, as the kernel says at its end: its main process and those below it that were waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor time, of the program and of the kernel for it.
    #[serde(rename = "cpu_seconds", with = "seconds")]
    pub cpu: Duration,
    /// Most memory that one of its processes had at a time.
    #[serde(rename = "peak_memory_bytes")]
    pub peak: u64,
    /// Whether that is a bound and no measurement: a process begins with the peak of the manager that starts it, so that the kernel
    /// knows nothing of one that stays below.
    #[serde(rename = "peak_memory_is_bound")]
    pub is_bound: bool,
}

impl Resources {
    /// Returns what two processes took of the machine that ran one after the other.
    pub fn and(self, other: Resources) -> Resources {
        let larger = if other.peak > self.peak { other } else { self };
        Resources { cpu: self.cpu + other.cpu, ..larger }
    }
}

/// What the attempts of a job have taken so far, by size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesOfAll {
    /// Processor times, counted in microseconds.
    cpu: Costs,
    /// Peaks of memory, counted in bytes.
    peak: Costs,
    /// The largest peak that is only a bound.
    largest_bound: u64,
}

/// What most attempts of a job have taken, and what the largest did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ResourcesOfMost {
    /// Attempts that are counted.
    pub attempts: u64,
    /// Processor time that 95 of 100 stayed below, in seconds, to a tenth of it.
    pub cpu_seconds_p95: f64,
    /// The most.
    pub cpu_seconds_max: f64,
    /// Memory that 95 of 100 stayed below, in bytes, to a tenth of it.
    pub peak_memory_bytes_p95: u64,
    /// The most.
    pub peak_memory_bytes_max: u64,
    /// Whether the first of these two is only a bound: nothing above the size of the manager itself was seen of so many.
    pub peak_memory_p95_is_bound: bool,
    /// Whether the second is.
    pub peak_memory_max_is_bound: bool,
}

impl ResourcesOfAll {
    /// Counts an attempt.
    pub fn add(&mut self, of: Resources) {
        self.cpu.add(amount(of.cpu.as_micros()));
        self.peak.add(amount(of.peak.into()));
        if of.is_bound {
            self.largest_bound = self.largest_bound.max(of.peak);
        }
    }

    /// Returns `true` if no attempt is counted.
    pub fn is_empty(&self) -> bool {
        self.cpu.known == 0
    }

    /// Adds what others have counted.
    pub fn extend(&mut self, other: &ResourcesOfAll) {
        self.cpu.extend(&other.cpu);
        self.peak.extend(&other.peak);
        self.largest_bound = self.largest_bound.max(other.largest_bound);
    }

    /// Returns what most have taken; `None` where none is counted.
    pub fn of_most(&self) -> Option<ResourcesOfMost> {
        let (cpu, peak) = (self.cpu.usual()?.millionths(), self.peak.usual()?.millionths().unsigned_abs());
        let largest = self.peak.largest.unsigned_abs();
        Some(ResourcesOfMost {
            attempts: self.cpu.known,
            cpu_seconds_p95: cpu as f64 / 1e6,
            cpu_seconds_max: self.cpu.largest as f64 / 1e6,
            peak_memory_bytes_p95: peak,
            peak_memory_bytes_max: largest,
            peak_memory_p95_is_bound: peak <= self.largest_bound,
            peak_memory_max_is_bound: largest <= self.largest_bound,
        })
    }
}

/// Sizes are counted as costs are, whose millionths are then microseconds, or bytes.
fn amount(size: u128) -> Amount {
    i64::try_from(size).ok().and_then(Amount::from_millionths).unwrap_or(Amount::MAX)
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_micros() as f64 / 1e6)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn took(millis: u64, peak: u64, is_bound: bool) -> Resources {
        Resources { cpu: Duration::from_millis(millis), peak, is_bound }
    }

    #[test]
    fn a_peak_that_is_only_a_bound_stays_one_until_a_larger_one_was_measured() {
        let mut of_all = ResourcesOfAll::default();
        assert_eq!(of_all.of_most(), None);

        (0..10).for_each(|_| of_all.add(took(20, 9 * MIB, true)));
        let bounds = of_all.of_most().unwrap();
        of_all.add(took(2_000, 400 * MIB, false));
        let measured = of_all.of_most().unwrap();

        assert!(bounds.peak_memory_p95_is_bound && bounds.peak_memory_max_is_bound, "{bounds:?}");
        assert_eq!((bounds.peak_memory_bytes_p95, bounds.cpu_seconds_max), (9 * MIB, 0.02));
        assert!(!measured.peak_memory_max_is_bound, "{measured:?}");
        assert_eq!((measured.attempts, measured.peak_memory_bytes_max), (11, 400 * MIB));
    }

    #[test]
    fn what_two_managers_have_counted_is_added_up() {
        let (mut one, mut other, mut both) =
            (ResourcesOfAll::default(), ResourcesOfAll::default(), ResourcesOfAll::default());
        for millis in 1..100 {
            let of = took(millis, millis * MIB, millis < 5);
            both.add(of);
            if millis % 3 == 0 { one.add(of) } else { other.add(of) }
        }

        one.extend(&other);

        assert_eq!(one, both);
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<ResourcesOfAll>(&json).unwrap(), both);
    }

    #[test]
    fn a_command_and_its_check_take_the_sum_of_their_times_and_the_larger_memory() {
        let both = took(20, 9 * MIB, true).and(took(30, 40 * MIB, false));

        assert_eq!(both, took(50, 40 * MIB, false));
    }
}
