//! Which units ran in which worker slot, and when: a picture of the latest ends.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{Seq, Timestamp, UnitId, UnitStatus};

/// Most ends that a picture holds.
const MOST_ENDS: usize = 2_000;
/// Most lanes that it holds.
const MOST_LANES: usize = 48;

/// A unit as its row has it, for its latest attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitRun {
    pub id: UnitId,
    pub status: UnitStatus,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub slot: u32,
}

/// An attempt that did not complete its unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptRun {
    pub unit: UnitId,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub slot: u32,
    /// Whether its unit has failed with it.
    pub is_final: bool,
}

/// How an attempt ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneRunKind {
    /// Its unit completed.
    Completed,
    /// Its unit failed with it.
    Failed,
    /// It did not complete its unit, which was to be tried again, or was ended by somebody.
    Retried,
    /// Its unit was skipped with it.
    Skipped,
    /// It is under way.
    Running,
}

/// One attempt in a lane.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LaneRun {
    /// Number of the unit.
    pub seq: Seq,
    /// The lane, from 0.
    pub lane: usize,
    /// How it ended.
    pub kind: LaneRunKind,
    /// When it began, in seconds from the left edge on.
    pub from_s: f64,
    /// When it ended, in seconds from the left edge on; of one under way, now.
    pub to_s: f64,
}

/// The latest attempts of a job, each in the lane of its worker slot.
///
/// Where several managers run a job, each has slots of the same numbers: attempts of one number that ran at the same time are in
/// lanes of their own.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lanes {
    /// The left edge; none where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Seconds from there to the right edge.
    pub seconds: f64,
    /// The worker slot of each lane, from 1, in their order.
    pub slots: Vec<u32>,
    /// Lanes that are omitted because there are too many.
    pub more_lanes: usize,
    /// The attempts, by lane and time.
    pub runs: Vec<LaneRun>,
    /// Whether there were ends before the first of these.
    pub is_cut: bool,
}

/// An attempt before it has a lane.
struct Run {
    seq: Seq,
    slot: u32,
    kind: LaneRunKind,
    from: i64,
    to: Option<i64>,
}

impl Lanes {
    /// Arranges what was read of units and attempts; `is_part` says that there may be more of them.
    pub(crate) fn of(units: &[UnitRun], attempts: &[AttemptRun], is_part: bool, now: Timestamp) -> Lanes {
        let mut runs = runs(units, attempts);
        let ends = runs.iter().filter(|run| run.to.is_some()).count();
        // The latest ends, then what has none.
        runs.sort_by_key(|run| (run.to.is_none(), run.to, run.seq));
        runs.drain(..ends.saturating_sub(MOST_ENDS));
        let is_cut = is_part || ends > MOST_ENDS;
        let Some(first) = runs.first() else { return Lanes::default() };
        // From the first end on all is known where ends are omitted; before it is not.
        let begun = runs.iter().map(|run| run.from).min();
        let from = if is_cut { first.to } else { None }.or(begun).unwrap_or(first.from);
        let now = now.as_micros();
        let until = runs.iter().map(|run| run.to.unwrap_or(now)).max().unwrap_or(from).max(from.saturating_add(1));
        let at = |micros: i64| micros.saturating_sub(from).clamp(0, until.saturating_sub(from)) as f64 / 1e6;
        let (slots, placed, more_lanes) = placed(runs, now);
        let run = |(lane, run): (usize, Run)| LaneRun {
            seq: run.seq,
            lane,
            kind: run.kind,
            from_s: at(run.from),
            to_s: at(run.to.unwrap_or(now)),
        };
        Lanes {
            from: Some(Timestamp::from_micros(from)),
            seconds: at(until),
            slots,
            more_lanes,
            runs: placed.into_iter().map(run).collect(),
            is_cut,
        }
    }
}

/// Takes each attempt once: one that ended its unit stands in both places.
fn runs(units: &[UnitRun], attempts: &[AttemptRun]) -> Vec<Run> {
    let known: HashSet<(UnitId, Timestamp)> = attempts.iter().map(|run| (run.unit, run.started_at)).collect();
    let of_attempt = |run: &AttemptRun| Run {
        seq: run.unit.seq(),
        slot: run.slot,
        kind: if run.is_final { LaneRunKind::Failed } else { LaneRunKind::Retried },
        from: run.started_at.as_micros(),
        to: Some(run.ended_at.max(run.started_at).as_micros()),
    };
    let of_unit = |run: &UnitRun| {
        let kind = match run.status {
            UnitStatus::Completed => LaneRunKind::Completed,
            UnitStatus::Running => LaneRunKind::Running,
            // The rest has an attempt on record if it ran at all: whoever skips a unit that waits ends no attempt.
            _ if known.contains(&(run.id, run.started_at)) => return None,
            UnitStatus::Skipped => LaneRunKind::Skipped,
            UnitStatus::Failed => LaneRunKind::Failed,
            UnitStatus::Pending | UnitStatus::Cancelled => return None,
        };
        let to = match kind {
            LaneRunKind::Running => None,
            _ => Some(run.finished_at?.max(run.started_at).as_micros()),
        };
        Some(Run { seq: run.id.seq(), slot: run.slot, kind, from: run.started_at.as_micros(), to })
    };
    attempts.iter().map(of_attempt).chain(units.iter().filter_map(of_unit)).collect()
}

/// Gives each attempt a lane: the first one of its slot that is free then. Returns the slots of the lanes and how many are omitted.
fn placed(mut runs: Vec<Run>, now: i64) -> (Vec<u32>, Vec<(usize, Run)>, usize) {
    runs.sort_by_key(|run| (run.slot, run.from, run.seq));
    let mut ends: HashMap<u32, Vec<i64>> = HashMap::new();
    let mut found: Vec<(u32, usize, Run)> = Vec::with_capacity(runs.len());
    for run in runs {
        let (lanes, to) = (ends.entry(run.slot).or_default(), run.to.unwrap_or(now));
        let row = lanes.iter().position(|end| *end <= run.from).unwrap_or(lanes.len());
        match lanes.get_mut(row) {
            Some(end) => *end = to,
            None => lanes.push(to),
        }
        found.push((run.slot, row, run));
    }
    let mut lanes: Vec<(u32, usize)> =
        ends.iter().flat_map(|(slot, rows)| (0..rows.len()).map(move |row| (*slot, row))).collect();
    lanes.sort_unstable();
    let more = lanes.len().saturating_sub(MOST_LANES);
    lanes.truncate(MOST_LANES);
    let place = |(slot, row, run): (u32, usize, Run)| Some((lanes.binary_search(&(slot, row)).ok()?, run));
    let mut placed: Vec<(usize, Run)> = found.into_iter().filter_map(place).collect();
    placed.sort_by_key(|(lane, run)| (*lane, run.from));
    (lanes.into_iter().map(|(slot, _)| slot).collect(), placed, more)
}

#[cfg(test)]
mod tests {
    use super::super::JobId;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn id(seq: i64) -> UnitId {
        UnitId::new(JobId(1), Seq(seq))
    }

    fn unit(seq: i64, status: UnitStatus, slot: u32, from: i64, to: Option<i64>) -> UnitRun {
        UnitRun { id: id(seq), status, started_at: at(from), finished_at: to.map(at), slot }
    }

    #[test]
    fn every_attempt_is_in_the_lane_of_its_slot_once() {
        let units = [
            unit(1, UnitStatus::Completed, 1, 0, Some(2)),
            unit(2, UnitStatus::Failed, 2, 1, Some(3)),
            unit(3, UnitStatus::Running, 1, 2, None),
            unit(4, UnitStatus::Skipped, 2, 3, Some(9)),
        ];
        let attempt = |seq, slot, from, to, is_final| AttemptRun {
            unit: id(seq),
            started_at: at(from),
            ended_at: at(to),
            slot,
            is_final,
        };
        let attempts = [attempt(2, 2, 0, 1, false), attempt(2, 2, 1, 3, true), attempt(4, 2, 3, 4, false)];

        let lanes = Lanes::of(&units, &attempts, false, at(5));

        let shown: Vec<_> =
            lanes.runs.iter().map(|run| (run.lane, run.seq.0, run.kind, run.from_s, run.to_s)).collect();
        assert_eq!(
            shown,
            [
                (0, 1, LaneRunKind::Completed, 0.0, 2.0),
                (0, 3, LaneRunKind::Running, 2.0, 5.0),
                (1, 2, LaneRunKind::Retried, 0.0, 1.0),
                (1, 2, LaneRunKind::Failed, 1.0, 3.0),
                (1, 4, LaneRunKind::Retried, 3.0, 4.0),
            ]
        );
        assert_eq!((lanes.slots, lanes.seconds, lanes.is_cut), (vec![1, 2], 5.0, false));
    }

    #[test]
    fn the_latest_ends_are_kept_and_the_left_edge_is_the_first_of_them() {
        let units: Vec<UnitRun> = (1..=2_500).map(|n| unit(n, UnitStatus::Completed, 1, n, Some(n + 1))).collect();

        let lanes = Lanes::of(&units, &[], false, at(9_000));

        assert_eq!((lanes.runs.len(), lanes.runs[0].seq, lanes.is_cut), (MOST_ENDS, Seq(501), true));
        assert_eq!((lanes.from, lanes.runs[0].to_s, lanes.seconds), (Some(at(502)), 0.0, 1_999.0));
    }

    #[test]
    fn slots_of_one_number_that_were_busy_at_the_same_time_have_lanes_of_their_own() {
        let units: Vec<UnitRun> = (1..=60).map(|n| unit(n, UnitStatus::Completed, 1, n % 2, Some(70))).collect();

        let lanes = Lanes::of(&units, &[], false, at(70));

        assert_eq!((lanes.slots.len(), lanes.more_lanes, lanes.runs.len()), (MOST_LANES, 12, MOST_LANES));
        assert_eq!(Lanes::of(&[], &[], true, at(1)), Lanes::default());
    }
}
