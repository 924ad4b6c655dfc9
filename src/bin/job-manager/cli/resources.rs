//! What attempts took of the machine, for people.

use std::time::Duration;

use job_manager::model::{Resources, ResourcesOfMost};

use super::text::span;

const MIB: u64 = 1 << 20;

/// Says what one attempt took.
pub fn of_attempt(of: &Resources) -> String {
    format!("{} CPU time, {} memory", span(of.cpu), memory(of.peak, of.is_bound))
}

/// Says what most attempts of a job took, and what the largest did.
pub fn of_job(of: &ResourcesOfMost) -> String {
    let cpu = |seconds| span(Duration::from_secs_f64(seconds));
    let usual = memory(of.peak_memory_bytes_p95, of.peak_memory_p95_is_bound);
    let most = memory(of.peak_memory_bytes_max, of.peak_memory_max_is_bound);
    let (usual_cpu, most_cpu) = (cpu(of.cpu_seconds_p95), cpu(of.cpu_seconds_max));
    format!("95 % of attempts up to {usual_cpu} CPU time and {usual} memory, the largest {most_cpu} and {most}")
}

/// Writes an amount of memory in whole MiB, rounded up.
fn memory(bytes: u64, is_bound: bool) -> String {
    let mark = if is_bound { "≤ " } else { "" };
    format!("{mark}{} MiB", bytes.div_ceil(MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_a_bound_is_marked_as_one() {
        let attempt = Resources { cpu: Duration::from_millis(1_234), peak: 9 * MIB - 1, is_bound: true };
        let job = ResourcesOfMost {
            attempts: 10,
            cpu_seconds_p95: 0.5,
            cpu_seconds_max: 61.0,
            peak_memory_bytes_p95: 9 * MIB,
            peak_memory_bytes_max: 420 * MIB,
            peak_memory_p95_is_bound: true,
            peak_memory_max_is_bound: false,
        };

        assert_eq!(of_attempt(&attempt), "1.2s CPU time, ≤ 9 MiB memory");
        assert_eq!(
            of_job(&job),
            "95 % of attempts up to 0.5s CPU time and ≤ 9 MiB memory, the largest 1m01s and 420 MiB"
        );
    }
}
