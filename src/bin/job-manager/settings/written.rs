//! The limits of a job, written as they are read.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::model::{AmountRate, Bytes, Hold, Job, Limits, MaxFailures, MemorySizes, Meter, MeterPath, Rate};
use job_manager::text::exact_span as span;

use super::NONE;
use super::change::HOLD;

/// Returns the name and the value of each limit of a job that can be changed; `none` where there is none. Several values that unite are
/// lines of their own.
pub fn written(job: &Job) -> BTreeMap<String, String> {
    let mut found = written_limits(&job.limits);
    let hold = job.hold.as_ref().map(|Hold { until, .. }| until.to_string());
    found.insert(HOLD.to_owned(), hold.unwrap_or_else(|| NONE.to_owned()));
    found
}

/// Returns the same of limits, without what units have asked for.
pub fn written_limits(limits: &Limits) -> BTreeMap<String, String> {
    let start = &limits.start;
    let lines: Vec<String> =
        start.diskfree.iter().map(|disk| format!("{}={}", disk.path.display(), bytes(disk.bytes))).collect();
    let windows = start
        .window
        .as_ref()
        .map(|windows| windows.spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    let each = |sizes: MemorySizes| match sizes.bounds().map(bytes) {
        [first, most] if first == most => first,
        [first, most] => format!("{first}..{most}"),
    };
    let mut found: Vec<(String, Option<String>)> = [
        ("rate", limits.rate.map(rate)),
        ("adapt", limits.adapt.map(|least| least.to_string())),
        ("timeout", limits.timeout_from.clone().or_else(|| limits.timeout.map(span))),
        ("idle-timeout", limits.idle_timeout.map(span)),
        ("memory", limits.memory.map(each)),
        ("kill-after", Some(span(limits.kill_after))),
        ("lease", limits.lease.map(span)),
        ("max-attempts", Some(limits.max_attempts.to_string())),
        ("max-failures", limits.max_failures.map(failures)),
        ("max-later", limits.max_later.map(span)),
        ("deadline", limits.deadline.map(span)),
        ("backoff", Some(format!("{}..{}", span(limits.backoff_base), span(limits.backoff_cap)))),
        ("memfree", start.memfree.map(bytes)),
        ("load", start.load.map(|load| format!("{}%", load.0))),
        ("diskfree", Some(lines.join("\n")).filter(|lines| !lines.is_empty())),
        ("window", windows),
        ("not-before", start.not_before.map(|at| at.to_string())),
        ("after", limits.after.map(|job| job.to_string())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(groups) = &limits.groups {
        let of_groups = [
            ("per-group", groups.most.map(|most| most.to_string())),
            ("group-rate", groups.rate.map(rate)),
            ("group-failures", groups.max_failures.map(|most| most.to_string())),
        ];
        found.extend(of_groups.map(|(name, value)| (name.to_owned(), value)));
    }
    for meter in &limits.meters {
        let name = |kind| format!("{kind}.{}", meter.name);
        found.extend([
            (name("budget"), meter.budget.as_ref().map(ToString::to_string)),
            (name("reserve"), meter.reserve.map(|amount| amount.to_string())),
            (name("rate"), meter.rate.map(amount_rate)),
            // One without a path counts what units say.
            (name("meter"), Some(path(meter))),
        ]);
    }
    found.into_iter().map(|(name, value)| (name, value.unwrap_or_else(|| NONE.to_owned()))).collect()
}

fn path(meter: &Meter) -> String {
    let lacking = if meter.may_lack { ":-0" } else { "" };
    meter.path.as_ref().map_or_else(String::new, |path: &MeterPath| format!("{path}{lacking}"))
}

fn rate(rate: Rate) -> String {
    format!("{}/{}", rate.units, per(rate.per_ms))
}

fn amount_rate(rate: AmountRate) -> String {
    format!("{}/{}", rate.amount, per(rate.per_ms))
}

fn failures(most: MaxFailures) -> String {
    match most {
        MaxFailures::Units(units) => units.to_string(),
        MaxFailures::Percent(percent) => format!("{percent}%"),
    }
}

/// Writes the span of a rate as people do.
fn per(millis: u64) -> String {
    match millis {
        1000 => "s".to_owned(),
        60_000 => "min".to_owned(),
        3_600_000 => "h".to_owned(),
        86_400_000 => "day".to_owned(),
        other => span(Duration::from_millis(other)),
    }
}

/// Writes a number of bytes so that it is read as the same.
fn bytes(Bytes(bytes): Bytes) -> String {
    let units = [("P", 5), ("T", 4), ("G", 3), ("M", 2), ("K", 1)];
    let whole = units.iter().find(|(_, power)| bytes > 0 && bytes.is_multiple_of(1 << (10 * power)));
    match whole {
        Some((name, power)) => format!("{}{name}", bytes >> (10 * power)),
        // Nine digits tell all bytes of a KiB apart, and a part of one is read as none.
        None => format!("{}.{:09}K", bytes / 1024, ((bytes % 1024) * 1_000_000_000).div_ceil(1024)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_written_so_that_they_are_read_as_the_same() {
        for size in [1, 1023, 1024, 1025, 1_000_000, 2_000_000_000, 3 << 29, 7 << 50, u64::MAX >> 11] {
            assert_eq!(bytes(Bytes(size)).parse(), Ok(Bytes(size)), "{size}");
        }
        for millis in [1, 999, 1000, 90_000, 5_400_000, 86_400_500] {
            let millis = Duration::from_millis(millis);
            assert_eq!(job_manager::text::duration(&span(millis)), Ok(millis));
        }
    }
}
